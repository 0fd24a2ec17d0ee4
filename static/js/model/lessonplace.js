/** The place in a lesson as an address says it, and the beat of a packet where a question is decided. */

import { fragment, read } from "./address.js";

/** @typedef {{step: number, done: boolean, depth: string, answers: Record<string, number>, revealed: number[], whatif: number, copy?: string[]|null}} Run where a lesson stands: `step` and `whatif` from 1, `answers` and `revealed` by step from 0; `copy` is what was done to a copy of the cluster */

/**
 * `#step=3&shown=1&depth=operator&whatif=2&copy=not-ready pod:shop/web-1;wait`; what an address leaves out is the beginning.
 * @param {string} hash @param {{answers?: Record<string, number>, revealed?: number[]}} kept what the person answered
 * @returns {Run}
 */
export function placeIn(hash, kept) {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const number = (/** @type {string} */ name) => (/^\d{1,3}$/.test(said.get(name) ?? "") ? Number(said.get(name)) : 0);
  const copy = said.get("copy");
  return { step: Math.max(1, number("step")), done: said.get("shown") === "1", depth: said.get("depth") ?? "novice", whatif: number("whatif"), answers: kept.answers ?? {}, revealed: kept.revealed ?? [], copy: copy === null ? null : copy.split(";").filter(Boolean) };
}

/**
 * Where to open a packet: at the first beat that one of these rules decided, else where it ends badly, else where it was drawn last who gets it.
 * @param {import("./walk.js").Beat[]} beats @param {string[]} rules the most telling first
 * @returns {number}
 */
export function opening(beats, rules) {
  for (const rule of rules) {
    const found = beats.findIndex((beat) => beat.steps.some((step) => step.rule?.rules.includes(rule)));
    if (found >= 0) return found;
  }
  if (!rules.length) return 0;
  const failed = beats.findIndex((beat) => beat.failed);
  return Math.max(0, failed >= 0 ? failed : beats.findLastIndex((beat) => !beat.reply && beat.steps.some((step) => step.candidates.length)));
}

/** A packet of somebody's own as part of such an address; one of the usual length says none. @param {Record<string, string>} question @returns {string} `&trace=shop/you|service:shop/web:80||0&length=1400` */
export function probeSaid(question) {
  const length = question.length && question.length !== "60" ? `&length=${question.length}` : "";
  return `&${fragment({ select: "", filter: {}, trace: question }).slice(1)}${length}`;
}

/** The packet that an address asks for, if it does. @param {string} hash @returns {Record<string, string>|null} */
export function probeIn(hash) {
  const { trace } = read(hash);
  const length = /[#&]length=(\d{1,5})(?:&|$)/.exec(hash)?.[1] ?? "60";
  return trace && { ...trace, length };
}
