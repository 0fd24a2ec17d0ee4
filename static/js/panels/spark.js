/** A sparkline: connections a second as a line, failures as a filled line under it, and the same in words. */
import { pathOf } from "../model/series.js";
import { h } from "./dom.js";

const [WIDTH, HEIGHT] = [320, 44];
const SVG = "http://www.w3.org/2000/svg";

/** @param {import("../model/series.js").Course} course @returns {HTMLElement|null} nothing before there is something to draw */
export function spark(course) {
  if (course.rps.length < 2 || !course.most) return null;
  const words = `${course.now.toFixed(1)} a second now, at most ${course.most.toFixed(1)} in the last ${span(course.seconds)}`;
  const failed = course.failed ? `, ${percent(course.failed)} failed` : ", none failed";
  const line = pathOf(course.rps, course.most, WIDTH, HEIGHT);
  const bad = course.failed ? pathOf(course.failing, course.most, WIDTH, HEIGHT) : "";
  return h("figure.spark", { testid: "spark" }, drawing([["area", closed(line)], ["line", line], ["failing", bad ? closed(bad) : ""]], words + failed),
    h("figcaption.hint", {}, words, h("span", { class: course.failed ? "wrong" : "" }, failed)));
}

/** @param {string[][]} paths class and path @param {string} label */
function drawing(paths, label) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [name, value] of Object.entries({ viewBox: `0 -3 ${WIDTH} ${HEIGHT + 4}`, preserveAspectRatio: "none", role: "img", "aria-label": label })) svg.setAttribute(name, value);
  for (const [kind, d] of paths) {
    if (!d) continue;
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", kind);
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

/** @param {string} line down to the axis and back to its start */
function closed(line) {
  const first = /** @type {RegExpExecArray} */ (/^M([\d.]+)/.exec(line))[1];
  return `${line}L${WIDTH} ${HEIGHT}L${first} ${HEIGHT}Z`;
}

/** @param {number} seconds */
function span(seconds) {
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

/** @param {number} share */
function percent(share) {
  return share < 0.001 ? "under 0.1 %" : `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
}
