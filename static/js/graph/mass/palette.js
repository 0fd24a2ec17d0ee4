/** The colours of the tiles, from the tokens, as the worker wants them. */
import { LOOK } from "../../model/cells.js";
import { packed } from "../../model/raster.js";

/** @typedef {import("../tokens.js").Tokens} Tokens */

/** @param {string} a @param {string} b both `#rrggbb` @param {number} share of b @returns {string} */
export function blend(a, b, share) {
  const part = (/** @type {number} */ at) => {
    const [x, y] = [a, b].map((colour) => Number.parseInt(colour.slice(at, at + 2), 16));
    return Math.round(x + (y - x) * share).toString(16).padStart(2, "0");
  };
  return `#${part(1)}${part(3)}${part(5)}`;
}

/** @param {Tokens} tokens @returns {import("../../model/raster.js").Palette} */
export function paletteOf(tokens) {
  const looks = new Uint32Array(14);
  for (let heat = 0; heat < 8; heat += 1) looks[LOOK.heat + heat] = packed(tokens[`heat-${heat}`]);
  looks[LOOK.pending] = packed(tokens["state-pending"]);
  looks[LOOK.failing] = packed(tokens["state-failing"]);
  looks[LOOK.terminating] = packed(tokens["text-third"]);
  looks[LOOK.aside] = packed(blend(tokens.panel, tokens["heat-0"], 0.4));
  looks[LOOK.succeeded] = packed(tokens["stripe-quiet"]);
  return { page: packed(tokens.page), cluster: packed(tokens.cluster), zone: packed(blend(tokens.cluster, tokens.page, 0.5)), panel: packed(tokens.panel), head: packed(tokens["panel-head"]),
    border: packed(tokens.border), broken: packed(tokens["state-failing"]), closed: packed(tokens["state-pending"]), empty: packed(tokens.panel), looks };
}
