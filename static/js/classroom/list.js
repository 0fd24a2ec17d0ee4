/** The list of lessons: which ones were finished in this browser, and a teacher's own file. */
import "../panels/words.js";
import { t } from "../model/words.js";
import { openFile } from "../net/lessons.js";
import { byId, fill, h } from "../panels/dom.js";

for (const mark of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".done[data-lesson]"))) {
  mark.hidden = localStorage.getItem(`clusterviz.lesson.${mark.dataset.lesson}.finished`) !== "yes";
}

const input = /** @type {HTMLInputElement|null} */ (document.getElementById("own"));
input?.addEventListener("change", async () => {
  const file = input.files?.[0];
  if (!file) return;
  const answer = await openFile(file.name, await file.text());
  if (answer.ok) return void location.assign(`/lessons/${answer.body.lesson}/`);
  const problems = answer.body.problems ?? [];
  fill(byId("flaws"), h("p.wrong", {}, answer.body.error), h("ol.flaws", {}, problems.map((/** @type {any} */ one) => h("li", {}, one.line ? h("strong", {}, t("Line {n}: ", { n: one.line })) : null,
    one.field ? h("code", {}, `${one.field} `) : null, one.message))));
  input.value = "";
  return undefined;
});
