/** The picture of big clusters, as the dashboard has it. */
import { MassPicture } from "/static/js/graph/mass/picture.js";
import { podsOf } from "/tests/js/bigcluster.js";

export async function start({ snapshot, mass }) {
  const surfaces = { scene: document.getElementById("scene"), graph: document.getElementById("graph"), packets: document.getElementById("packets") };
  const picture = new MassPicture(surfaces, { select() {}, rest() {}, packet() {} }, async (id) => podsOf(mass, id));
  picture.setMass(mass, new Map(snapshot.entities.map((entity) => [entity.id, entity])), snapshot.settings);
  let seq = 0;
  return {
    cy: picture.cy, frames: () => picture.loop.frames,
    change: (batch) => {
      seq += 1;
      picture.change(mass.apply({ type: "state", seq, set: [], unset: [], events: [], mass: { pods: batch.map(([pod, state]) => [pod, mass.node[pod], state, mass.workload[pod]]) } }));
    },
    // As the dashboard does it with every `traffic` message.
    packets: () => setInterval(() => picture.feedTrunks(200), 200),
    near: () => picture.cy.zoom({ level: 1.2, position: { x: 2000, y: 2000 } }),
    far: () => picture.camera.fit(),
    first: (began) => new Promise((resolve) => {
      const look = () => (picture.tiles.waiting || !picture.loop.frames ? requestAnimationFrame(look) : resolve(performance.now() - began));
      requestAnimationFrame(look);
    }),
  };
}
