/** The Cytoscape stylesheet, from the tokens. Nodes are transparent: the scene canvas draws them. */
import { kindColour, thickness } from "./tokens.js";

/** Line, dash and width of each kind: colour is never the only sign. */
export const LINES = /** @type {Record<string, {width: number, dash: number[]}>} */ ({
  ingress: { width: 2.5, dash: [] },
  service: { width: 2, dash: [7, 5] },
  pod: { width: 2, dash: [] },
  egress: { width: 2.2, dash: [2, 6] },
  blocked: { width: 2.2, dash: [10, 7] },
  local: { width: 1.6, dash: [] },
});

/** @param {string} name */
const given = (name) => (/** @type {any} */ edge) => edge.data(name);

/** Lines that stand for many calls: as wide as they are busy, with rate and share of errors. @param {import("./tokens.js").Tokens} tokens @returns {any[]} */
function calls(tokens) {
  return [
    { selector: "edge[?curved]", style: {
      "curve-style": "segments", width: `mapData(weight, 0, 8, ${1.4 * thickness(tokens)}, ${8 * thickness(tokens)})`, opacity: 1, "line-opacity": 0.5, "line-style": "solid", label: "data(label)", "font-family": tokens.words, "font-size": 15, "font-weight": 600,
      color: tokens["text-second"], "text-background-color": tokens.cluster, "text-background-opacity": 0.92, "text-background-padding": "3px", "text-background-shape": "round-rectangle", "min-zoomed-font-size": 8 } },
    { selector: "edge[?curved][?straight]", style: { "curve-style": "straight" } },
    { selector: 'edge[style = "idle"]', style: { width: 1.2 * thickness(tokens), "line-style": "dashed", "line-dash-pattern": [3, 6], opacity: 0.4, "line-opacity": 1, "line-color": tokens["text-third"] } },
    { selector: 'edge[trouble = "some"]', style: { color: tokens["text-blocked"] } },
    { selector: 'edge[trouble = "all"]', style: { "line-color": tokens["kind-blocked"], "line-style": "dashed", "line-dash-pattern": [10, 7], color: tokens["text-blocked"], "line-opacity": 0.75 } },
  ];
}

/** @param {import("./tokens.js").Tokens} tokens @returns {any[]} */
export function stylesheet(tokens) {
  const kinds = Object.entries(LINES).map(([kind, { width, dash }]) => ({
    selector: `edge[style = "${kind}"]`,
    style: {
      "line-color": kindColour(tokens, kind), width: width * thickness(tokens), "line-style": dash.length ? "dashed" : "solid",
      "line-dash-pattern": dash.length ? dash : [1, 0], "mid-target-arrow-color": kindColour(tokens, kind),
    },
  }));
  return [
    { selector: "node", style: {
      shape: "round-rectangle", width: "data(w)", height: "data(h)", "background-opacity": 0, "border-width": 0,
      "border-color": tokens["kind-traced"], "overlay-opacity": 0, "corner-radius": "10", "z-index": 5 } },
    { selector: 'node[kind = "node"]', style: { "z-index": 1 } },
    { selector: 'node[kind = "service"]', style: {
      shape: "polygon", "shape-polygon-points": "-0.85 -1 0.85 -1 1 0 0.85 1 -0.85 1 -1 0" } },
    { selector: "node:selected, node.marked", style: { "border-width": 3.5, "border-color": tokens["kind-traced"] } },
    { selector: "node.hover", style: { "border-width": 2, "border-color": tokens["text-third"] } },
    { selector: "edge", style: {
      "curve-style": "round-segments", "segment-weights": given("weights"), "segment-distances": given("distances"),
      "edge-distances": "endpoints", "segment-radii": 10, "source-endpoint": given("start"), "target-endpoint": given("end"),
      opacity: 0.34, "overlay-opacity": 0, "target-arrow-shape": "none", "z-index": 2 } },
    { selector: "edge[?straight]", style: { "curve-style": "straight" } },
    ...kinds,
    ...calls(tokens),
    { selector: "edge.still", style: { "mid-target-arrow-shape": "triangle", "arrow-scale": 1.1 } },
    { selector: "edge.near", style: { opacity: 0.95, "line-opacity": 1 } },
    { selector: "edge.far", style: { "font-size": 22 } },
    { selector: "edge.faded", style: { opacity: 0.07 } },
    { selector: "edge:selected", style: { opacity: 1, width: 4 * thickness(tokens), "z-index": 9 } },
  ];
}
