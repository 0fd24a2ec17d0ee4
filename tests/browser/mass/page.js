/** The mass picture alone, on a generated cluster: page.html?nodes=5000&pods=150000&zones=6&theme=dark. */
import { Mass } from "/static/js/model/mass.js";
import { MassPicture } from "/static/js/graph/mass/picture.js";
import { bigCluster, podsOf } from "/tests/js/bigcluster.js";

const asked = new URLSearchParams(location.search);
const number = (name, usual) => Number(asked.get(name) ?? usual);
document.documentElement.dataset.theme = asked.get("theme") ?? "dark";
const snapshot = bigCluster(number("nodes", 5000), number("pods", 150000), { zones: number("zones", 6) });
const began = performance.now();
const mass = Mass.fromSnapshot(snapshot);
const entities = new Map(snapshot.entities.map((entity) => [entity.id, entity]));
const heard = { select: [], rest: [], packet: [] };
const surfaces = { scene: document.getElementById("scene"), graph: document.getElementById("graph"), packets: document.getElementById("packets") };
const handlers = Object.fromEntries(Object.keys(heard).map((name) => [name, (...all) => heard[name].push(all[0])]));
const picture = new MassPicture(surfaces, handlers, async (id) => {
  await new Promise((resolve) => setTimeout(resolve, number("lag", 30)));
  return podsOf(mass, id);
});
const read = performance.now() - began;
picture.setMass(mass, entities, snapshot.settings);
const whole = () => {
  if (picture.tiles.waiting || !picture.loop.frames) requestAnimationFrame(whole);
  else window.mass.first = performance.now() - began;
};
window.mass = { read, set: performance.now() - began, picture, mass, heard, first: 0, snapshot };
requestAnimationFrame(whole);
