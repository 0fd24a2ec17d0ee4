/** The picture of small clusters, as the dashboard has it: cards, tracks, packets. */
import { Picture } from "/static/js/graph/picture.js";
import { podsOf } from "/tests/js/bigcluster.js";

/** As many as in the scenes rivals were measured with. */
const ROUTES = 184;

/** A route between two pods, over their nodes. @param {any} from @param {any} to @param {number} i */
function route(from, to, i) {
  const waypoints = from.node === to.node ? [from.id, to.id] : [from.id, from.node, to.node, to.id];
  const segments = waypoints.slice(1).map((_, at) => ({ kind: "pod", nat: "", encapsulated: waypoints.length > 2 && at === 1 }));
  return { id: `r${i}`, flow: `flow:shop/f${i}`, kind: "pod", effect: "allowed", waypoints, segments, verdict: "delivered", symptom: "", stop: "", overlay: true, reason: "" };
}

export async function start({ snapshot, mass }) {
  const surfaces = { scene: document.getElementById("scene"), graph: document.getElementById("graph"), packets: document.getElementById("packets") };
  const picture = new Picture(surfaces, { select() {}, rest() {}, packet() {} });
  const machines = snapshot.entities.filter((entity) => entity.kind === "node");
  const pods = machines.flatMap((node) => podsOf(mass, node.id)).map((pod, i) => ({ created: i, labels: {}, ips: [pod.ip], role: "", hostNetwork: false, ...pod, containers: pod.containers.map((c) => ({ image: "", ports: [], ...c })) }));
  const entities = new Map([...machines.map((node, i) => ({ created: i, labels: {}, overlay: node.bridge, ...node })), ...pods].map((entity) => [entity.id, entity]));
  picture.setScene(entities, snapshot.settings, true);
  const pairs = Array.from({ length: ROUTES }, (_, i) => route(pods[i % pods.length], pods[(i * 7 + 5 + Math.floor(i / pods.length)) % pods.length], i));
  const routes = new Map(pairs.filter((one) => one.waypoints[0] !== one.waypoints[one.waypoints.length - 1]).map((one) => [one.id, one]));
  picture.setRoutes(routes);
  let waiting = 0;
  return {
    cy: picture.cy, frames: () => picture.loop.frames,
    change: (batch) => {
      for (const [at, state] of batch) {
        const pod = entities.get(pods[at % pods.length].id);
        entities.set(pod.id, { ...pod, ready: state === 1, reason: state === 1 ? "" : "CrashLoopBackOff" });
      }
      // As the dashboard does it: at most four times a second.
      waiting ||= setTimeout(() => { waiting = 0; picture.setScene(entities, snapshot.settings); }, 250);
    },
    packets: (rate) => setInterval(() => picture.addCalls([...routes.keys()].map((id) => [id, rate / routes.size / 5, ""]), 200), 200),
    near: () => picture.cy.zoom({ level: 1.2, position: { x: 400, y: 400 } }),
    far: () => picture.camera.fit(),
    first: (began) => new Promise((resolve) => {
      const look = () => (picture.loop.frames ? resolve(performance.now() - began) : requestAnimationFrame(look));
      requestAnimationFrame(look);
    }),
  };
}
