/**
 * One picture of a generated cluster, to be measured: page.html?how=ours|plain|empty&nodes=50&pods=1000.
 * `ours` is what the dashboard draws; `plain` a Cytoscape node a pod with dashed edges that move; `empty` an empty page.
 */
import { bigCluster } from "/tests/js/bigcluster.js";
import { Mass } from "/static/js/model/mass.js";

const asked = new URLSearchParams(location.search);
const [how, nodes, pods] = [asked.get("how") ?? "ours", Number(asked.get("nodes") ?? 50), Number(asked.get("pods") ?? 1000)];
document.documentElement.dataset.theme = "dark";
/** As the dashboard decides it. */
const SMALL = pods <= 300 && nodes <= 24;

const makers = { ours: SMALL ? "./small.js" : "./mass.js", plain: "./plain.js", empty: "./empty.js" };
const { start } = await import(makers[how]);
const snapshot = bigCluster(nodes, pods);
const began = performance.now();
const mass = Mass.fromSnapshot(snapshot);
const scene = await start({ snapshot, mass, nodes, pods });

/** Changes of state, so many a second, handed over in the batches a server sends. */
function changing(rate, until) {
  let [owed, last, at] = [0, performance.now(), 0];
  const timer = setInterval(() => {
    const now = performance.now();
    if (now > until) return clearInterval(timer);
    owed += ((now - last) * rate) / 1000;
    last = now;
    const batch = [];
    for (; owed >= 1; owed -= 1) {
      at = (at * 1103515245 + 12345) % 2147483648;
      batch.push([at % pods, (at >>> 8) % 10 ? 1 : 3]);
    }
    if (batch.length) scene.change(batch);
    return undefined;
  }, 50);
}

/** Moves the camera for a while, and tells how long each frame took. */
function pan(ms, rate) {
  const gaps = [];
  const start = performance.now();
  if (rate) changing(rate, start + ms);
  return new Promise((resolve) => {
    let last = 0;
    const frame = (now) => {
      if (last) gaps.push(now - last);
      last = now;
      if (now - start > ms) return resolve(gaps);
      if (scene.cy) scene.cy.panBy({ x: Math.sin((now - start) / 300) * 9, y: Math.cos((now - start) / 420) * 6 });
      return requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
}

/** Lets the picture live for a while: packets move, the camera stands. */
function live(ms, rate = 0) {
  const start = performance.now();
  if (rate) changing(rate, start + ms);
  const gaps = [];
  return new Promise((resolve) => {
    let [last, seen] = [0, scene.frames()];
    const frame = (now) => {
      if (scene.frames() !== seen) {
        if (last) gaps.push(now - last);
        [last, seen] = [now, scene.frames()];
      }
      return now - start > ms ? resolve(gaps) : requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
}

window.bench = { first: await scene.first(began), pan, live, elements: () => scene.cy?.elements().length ?? 0, near: () => scene.near?.(), far: () => scene.far?.(), packets: (count) => scene.packets(count) };
// Whoever measures listens instead of asking: a page at work answers nobody.
console.debug("drawn");
