/** The plain way: a Cytoscape node for each pod in the frame of its machine, an edge from a Service, and traffic as dashes that move. */
import cytoscape from "cytoscape";

const COLOURS = ["#1c2b4a", "#5c97dc", "#ffe9b0", "#ff3d3d", "#80d4ff", "#56668c"];
/** Edges whose dashes move; more would only make it slower. */
const MOVING = 184;

export async function start({ mass, nodes }) {
  const columns = Math.ceil(Math.sqrt(nodes * 1.6));
  const elements = mass.nodes.map((node, i) => ({ data: { id: node.id, label: node.name }, position: { x: (i % columns) * 460, y: Math.floor(i / columns) * 330 } }));
  for (let i = 0; i < mass.count; i += 1) {
    const [node, slot] = [mass.node[i], mass.slot[i]];
    if (node >= mass.nodes.length) continue;
    elements.push({ data: { id: `p${i}`, label: `pod-${i}`, colour: COLOURS[mass.state[i]] },
      position: { x: (node % columns) * 460 + (slot % 6) * 64 - 160, y: Math.floor(node / columns) * 330 + Math.floor(slot / 6) * 44 - 90 } });
  }
  const count = Math.min(MOVING, mass.count - 1);
  for (let i = 0; i < count; i += 1) {
    const [from, to] = [i, (i * 7919 + 13) % mass.count];
    if (from !== to && mass.node[from] < mass.nodes.length && mass.node[to] < mass.nodes.length) elements.push({ data: { id: `e${i}`, source: `p${from}`, target: `p${to}` } });
  }
  const cy = cytoscape({ container: document.getElementById("graph"), elements, layout: { name: "preset", fit: true }, style: [
    { selector: "node", style: { shape: "round-rectangle", width: 410, height: 280, "background-color": "#131c33", label: "data(label)", color: "#eaf0fb", "font-size": 22 } },
    { selector: "node[colour]", style: { width: 52, height: 32, "background-color": "data(colour)", "font-size": 9, "text-valign": "center" } },
    { selector: "edge", style: { width: 2, "line-color": "#ffc93f", "curve-style": "straight", "line-style": "dashed", "line-dash-pattern": [7, 5], opacity: 0.8 } },
  ] });
  let [frames, drawn] = [0, 0];
  cy.on("render", () => { frames += 1; drawn ||= performance.now(); });
  let offset = 0;
  const animate = () => {
    offset -= 1;
    cy.edges().style("line-dash-offset", offset);
    requestAnimationFrame(animate);
  };
  return {
    cy, frames: () => frames,
    change: (batch) => cy.batch(() => { for (const [pod, state] of batch) cy.getElementById(`p${pod}`).data("colour", COLOURS[state]); }),
    packets: () => { requestAnimationFrame(animate); },
    near: () => cy.zoom({ level: 1.2, position: cy.nodes()[0].position() }),
    far: () => cy.fit(),
    first: (began) => new Promise((resolve) => {
      const look = () => (drawn ? resolve(drawn - began) : requestAnimationFrame(look));
      look();
    }),
  };
}
