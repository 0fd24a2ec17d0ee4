/** The Cytoscape stylesheet, from the tokens. Nodes are transparent: the scene canvas draws them. */
import { kindColour } from "./tokens.js";

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

/** @param {import("./tokens.js").Tokens} tokens @returns {any[]} */
export function stylesheet(tokens) {
  const kinds = Object.entries(LINES).map(([kind, { width, dash }]) => ({
    selector: `edge[style = "${kind}"]`,
    style: {
      "line-color": kindColour(tokens, kind), width, "line-style": dash.length ? "dashed" : "solid",
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
    { selector: "edge.still", style: { "mid-target-arrow-shape": "triangle", "arrow-scale": 1.1 } },
    { selector: "edge.near", style: { opacity: 0.95 } },
    { selector: "edge.faded", style: { opacity: 0.07 } },
    { selector: "edge:selected", style: { opacity: 1, width: 4, "z-index": 9 } },
  ];
}
