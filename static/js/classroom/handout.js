/** Draws the pictures of a handout: each place of the lesson in the dashboard's own picture, kept as a drawing that prints sharply. */
import "../panels/words.js";
import { spotAt, waysOf } from "../desk/light.js";
import { svgOf } from "../graph/copyof.js";
import { Picture } from "../graph/picture.js";
import { opening } from "../model/lessonplace.js";
import { Store } from "../model/store.js";
import { beats } from "../model/walk.js";
import { LessonApi } from "../net/lessons.js";
import { byId, fill, h } from "../panels/dom.js";

const page = byId("handout").dataset;
const word = byId("drawing-word");
// Paper is white: what this browser likes on a screen does not count here, and is not forgotten.
document.documentElement.dataset.theme = "light";
const surfaces = { scene: /** @type {HTMLCanvasElement} */ (byId("scene")), graph: byId("graph"), packets: /** @type {HTMLCanvasElement} */ (byId("packets")) };
const api = new LessonApi(page.lesson ?? "", { step: 1, done: false, depth: page.depth ?? "novice", answers: {}, revealed: [], whatif: 0 });
const picture = new Picture(surfaces, { select: () => {}, packet: () => {}, rest: () => {}, machines: api });
picture.still = true;

/** @param {any} told the server's answer about a place @param {string} label @returns {string} the drawing */
function drawn(told, label) {
  const store = new Store();
  store.load(told.scene);
  picture.setSpot(null);
  picture.setScene(store.entities, store.settings, true);
  if (told.trace) {
    const all = beats(told.trace);
    const at = opening(all, told.view.question?.rules ?? []);
    const ways = waysOf(picture, told.trace, all, null);
    picture.setSpot(spotAt(picture, ways, all, at));
    picture.reached = ways.reached[at];
  }
  return svgOf(picture, label);
}

async function draw() {
  await document.fonts?.ready;
  const failed = [];
  for (const figure of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("figure.drawn"))) {
    const { step, done, label = "" } = figure.dataset;
    api.run = { ...api.run, step: Number(step), done: done === "1", answers: {}, revealed: [] };
    const answer = await api.go("");
    if (!answer.ok) failed.push(`${step}: ${answer.body.error}`);
    else fill(figure, h("img", { src: `data:image/svg+xml,${encodeURIComponent(drawn(answer.body, label))}`, alt: label }));
  }
  picture.destroy();
  fill(word, failed.join(" "));
  word.hidden = !failed.length;
}

byId("print").addEventListener("click", () => print());
const ready = draw();
Object.assign(window, { clusterviz: { ready } });
