/** Keeps Cytoscape's elements in step with the layout and the lines; flat nodes, preset positions. */
import { bends } from "../model/lines.js";

/** @typedef {import("../model/layout.js").Box} Box */
/** @typedef {import("../model/lines.js").Line} Line */

/** @param {Box} box @param {any} entity */
function nodeElement(box, entity) {
  return {
    group: "nodes", selectable: true, grabbable: false, position: { x: box.x + box.w / 2, y: box.y + box.h / 2 },
    data: { id: box.id, kind: box.kind, label: entity?.name ?? box.id, ip: entity?.ip || entity?.clusterIP || "", w: box.w, h: box.h },
  };
}

/** @param {Line} line @param {Map<string, Box>} boxes */
function edgeElement(line, boxes) {
  const [from, to] = [line.from, line.to].map((id) => /** @type {Box} */ (boxes.get(id)));
  const [first, last] = [line.points[0], line.points[line.points.length - 1]];
  const end = (/** @type {Box} */ box, /** @type {number[]} */ point) =>
    `${point[0] - box.x - box.w / 2}px ${point[1] - box.y - box.h / 2}px`;
  return {
    group: "edges", data: { id: line.id, source: line.from, target: line.to, kind: "line", style: line.style, flows: line.flows, routes: line.routes,
      straight: line.points.length < 3, weight: 0, label: "", trouble: "", curved: false, ...line.dress, start: end(from, first), end: end(to, last), ...bends(line), shape: JSON.stringify(line.points) },
  };
}

/** @param {any} cy @param {Map<string, Box>} boxes @param {Map<string, any>} entities */
export function syncNodes(cy, boxes, entities) {
  cy.nodes().filter((/** @type {any} */ n) => !boxes.has(n.id())).remove();
  const fresh = [];
  for (const [id, box] of boxes) {
    const wanted = nodeElement(box, entities.get(id));
    const known = cy.getElementById(id);
    if (known.empty()) fresh.push(wanted);
    else {
      const { x, y } = known.grabbed() ? wanted.position : known.position();
      if (x !== wanted.position.x || y !== wanted.position.y) known.position(wanted.position);
      if (known.data("ip") !== wanted.data.ip || known.data("w") !== box.w || known.data("h") !== box.h) known.data(wanted.data);
    }
  }
  cy.add(fresh);
}

/** The ends are told from the middle of a box, so they change with its size although the line stays where it is. */
function changed(/** @type {any} */ known, /** @type {any} */ wanted) {
  return ["shape", "start", "end", "style", "weight", "label", "trouble"].some((name) => known.data(name) !== wanted[name]) || known.data("flows").length !== wanted.flows.length;
}

/** @param {any} cy @param {Map<string, Line>} lines @param {Map<string, Box>} boxes @param {Set<string>} wanted lines that must be drawn @param {number} most of the others */
export function syncEdges(cy, lines, boxes, wanted, most) {
  const ids = new Set([...lines.keys()].slice(0, most));
  for (const id of wanted) if (lines.has(id)) ids.add(id);
  cy.edges().filter((/** @type {any} */ e) => !ids.has(e.id())).remove();
  const fresh = [];
  for (const id of ids) {
    const line = /** @type {Line} */ (lines.get(id));
    if (line.from === line.to || !boxes.has(line.from) || !boxes.has(line.to)) continue;
    const element = edgeElement(line, boxes);
    const known = cy.getElementById(id);
    if (known.empty()) fresh.push(element);
    else if (changed(known, element.data)) known.data(element.data);
  }
  cy.add(fresh);
}
