/** The HTTP side of a lesson: the same questions as about a cluster, each with the place in the lesson it is asked at. */
import { t } from "../model/words.js";
import { Api, ask } from "./http.js";

/** @typedef {import("../model/lessonplace.js").Run} Run */

export class LessonApi extends Api {
  /** @param {string} name @param {Run} run */
  constructor(name, run) {
    super("");
    this.base = `/lessons/${encodeURIComponent(name)}/`;
    this.run = run;
    /** @type {((deed: string) => Promise<import("./http.js").Answer>)|null} does something to the copy and shows it */
    this.changed = null;
  }

  /** @param {Record<string, string>} question @returns {string} */
  query(question) {
    return new URLSearchParams({ ...placeOf(this.run), ...question }).toString();
  }

  /** The place after a turn; "" is where we are. @param {string} turn @param {number} [number] of a choice or a what-if, from 0 */
  async go(turn, number) {
    const answer = await ask(`${this.base}at?${this.query({ turn, number: String(number ?? 0) })}`);
    if (answer.ok) this.run = answer.body.run;
    return answer;
  }

  /** Opens a room for a lesson. @param {string} lesson */
  teach(lesson) {
    const rooms = new Api("");
    rooms.base = "/room/";
    return rooms.post("open", JSON.stringify({ lesson }), { "Content-Type": "application/json" });
  }

  /** Something is done to the copy of the cluster: whoever shows the answer is asked. @param {Record<string, any>} action as of the dashboard */
  async act({ action, target, replicas }) {
    if (!this.changed) return { ok: false, status: 409, body: { error: t("The cluster of a lesson changes by its steps and what-ifs.") } };
    return this.changed([action, target, replicas ?? ""].join(" ").trim());
  }
}

/** @param {Run} run @returns {Record<string, string>} */
export function placeOf(run) {
  const answers = Object.entries(run.answers).map(([step, choice]) => `${step}:${choice}`).join(",");
  return { step: String(run.step), done: run.done ? "1" : "0", depth: run.depth, answers, revealed: run.revealed.join(","), whatif: run.whatif ? String(run.whatif) : "", ...(run.copy ? { copy: run.copy.join(";") } : {}) };
}

/** Gives a teacher's file to the server. @param {string} name @param {string} text */
export function openFile(name, text) {
  const api = new Api("");
  api.base = "/lessons/";
  return api.post("open", JSON.stringify({ name, text }), { "Content-Type": "application/json" });
}
