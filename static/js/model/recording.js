/** A recording: JSON lines, the first says what it is, then a keyframe and the messages as they came. docs/recordings.md has the format. */
import { lineOf } from "../net/past.js";

/** @typedef {import("../net/past.js").Line} Line */

export const VERSION = 1;
/** Bytes of lines; more is neither recorded nor opened. */
export const MOST = 64 * 1024 * 1024;
const KINDS = ["recording", "keyframe", "state", "traffic", "trace"];

/** What cannot be opened; the message says why. */
export class RecordingError extends Error {}

/**
 * @param {{cluster: string, from: number, to: number}} head @param {Line[]} lines from a keyframe on, in order @param {Line[]} traces
 * @returns {string} the lines of the file
 */
export function write(head, lines, traces) {
  const all = [...lines];
  for (const trace of traces) {
    let place = all.length;
    while (place > 1 && all[place - 1].time > trace.time) place -= 1;
    all.splice(place, 0, trace);
  }
  const first = JSON.stringify({ type: "recording", version: VERSION, cluster: head.cluster, from: head.from, to: head.to });
  return `${[first, ...all.map((line) => line.text)].join("\n")}\n`;
}

/** @param {number} time @param {Record<string, string>} question @param {any} trace @returns {Line} */
export function traceLine(time, question, trace) {
  return lineOf(JSON.stringify({ type: "trace", time, question, trace }));
}

/** @param {string} text @returns {{head: any, lines: Line[], traces: any[]}} @throws {RecordingError} */
export function read(text) {
  const lines = text.split("\n").filter(Boolean).map((line, number) => {
    let found;
    try {
      found = lineOf(line);
    } catch {
      throw new RecordingError(`Line ${number + 1} is not JSON.`);
    }
    if (!KINDS.includes(found.type)) throw new RecordingError(`Line ${number + 1} is of type ${String(found.type).slice(0, 40)}; allowed are ${KINDS.join(", ")}.`);
    return found;
  });
  const head = lines[0]?.message;
  if (head?.type !== "recording") throw new RecordingError("This is not a recording: its first line must be of type recording.");
  if (head.version !== VERSION) throw new RecordingError(`Version ${head.version} cannot be read; allowed is ${VERSION}.`);
  if (lines[1]?.type !== "keyframe") throw new RecordingError("Line 2 must be of type keyframe.");
  if (!(Number.isFinite(head.from) && Number.isFinite(head.to) && head.from <= head.to)) throw new RecordingError("from and to must be seconds since 1970, in order.");
  return { head, lines: lines.slice(1), traces: lines.filter((line) => line.type === "trace").map((line) => line.message) };
}
