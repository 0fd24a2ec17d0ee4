import assert from "node:assert/strict";
import test from "node:test";
import cytoscape from "cytoscape";
import { syncEdges, syncNodes } from "../../static/js/graph/elements.js";
import { layout } from "../../static/js/model/layout.js";
import { lines, way } from "../../static/js/model/lines.js";
import { Tracks } from "../../static/js/model/tracks.js";
import { pod, snapshot } from "./fixtures/boutique.js";

test("every line begins and ends on its track after the panels grew", () => {
  const { entities, routes } = snapshot();
  const cy = cytoscape({ headless: true });
  const lanes = new Map();
  /** @param {any[]} all @param {any} [before] */
  const draw = (all, before) => {
    const made = layout(all, before);
    const known = new Map(all.map((e) => [e.id, e]));
    const tracks = new Tracks(made, known, lanes);
    const drawn = lines(routes.map((/** @type {any} */ r) => way(r, tracks)).filter((/** @type {any} */ w) => w !== null));
    syncNodes(cy, made.boxes, known);
    syncEdges(cy, drawn, made.boxes, new Set());
    return { made, drawn };
  };
  const first = draw(entities);
  const crowd = Array.from({ length: 12 }, (_, i) => pod({ name: `crowd-${i}`, node: "n1", ip: `10.244.1.${100 + i}` }));
  const { made, drawn } = draw([...entities, ...crowd], first.made);
  assert.ok(/** @type {any} */ (made.panels.get("node:n1")).box.h > /** @type {any} */ (first.made.panels.get("node:n1")).box.h);
  for (const edge of cy.edges().toArray()) {
    const { points } = /** @type {import("../../static/js/model/lines.js").Line} */ (drawn.get(edge.id()));
    for (const [end, told, point] of [[edge.source(), edge.data("start"), points[0]], [edge.target(), edge.data("end"), points[points.length - 1]]]) {
      const { x, y } = end.position();
      const [dx, dy] = told.split(" ").map(parseFloat);
      assert.deepEqual([x + dx, y + dy], point, edge.id());
    }
  }
});
