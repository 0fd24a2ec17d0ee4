/** A copy of the lesson's cluster to break: what may be done to its objects, and the next place after it was done. */
import { placeOf } from "../net/lessons.js";
import { ask } from "../net/http.js";
import { t } from "../model/words.js";

const GONE = new Set(["service", "ingress", "policy"]);

/** What the dashboard does not offer. @param {any} entity @returns {import("../panels/actions.js").Choice[]} */
export function moreChoices(entity) {
  if (entity.kind === "pod") return [{ action: "relabel", label: t("Take its labels away") }];
  return GONE.has(entity.kind) ? [{ action: "delete", label: t("Delete"), danger: true }] : [];
}

/**
 * @param {import("../net/lessons.js").LessonApi} api
 * @param {(body: any, turn: string) => void} show
 * @returns {(deed: string) => Promise<import("../net/http.js").Answer>} does something to the copy and shows what became of it
 */
export function changer(api, show) {
  return async (deed) => {
    const answer = await ask(`${api.base}at?${new URLSearchParams({ ...placeOf(api.run), turn: "do", deed })}`);
    if (!answer.ok) return answer;
    api.run = answer.body.run;
    show(answer.body, "do");
    return { ...answer, body: { message: t("Done, in your copy.") } };
  };
}
