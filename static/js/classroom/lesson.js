/** The page of a lesson: the picture, the words, the packet. The server says what is true; this puts it together. */
import "../panels/words.js";
import { Signals } from "../desk/signals.js";
import { Tracing } from "../desk/tracing.js";
import { Picture } from "../graph/picture.js";
import { opening, placeIn, probeIn, probeSaid } from "../model/lessonplace.js";
import { Series } from "../model/series.js";
import { Store } from "../model/store.js";
import { t } from "../model/words.js";
import { LessonApi } from "../net/lessons.js";
import { byId } from "../panels/dom.js";
import { bindKeys } from "../panels/keys.js";
import { LessonPanel } from "../panels/lesson.js";
import { Pins } from "../panels/pins.js";
import { Pointer, stayAwake } from "../panels/pointer.js";
import { SidePanel } from "../panels/side.js";
import { toast } from "../panels/toasts.js";
import { setTheme, theme, themeButton } from "../panels/themes.js";
import { changer, moreChoices } from "./copy.js";
import { Presentation } from "./present.js";

const page = byId("dash").dataset;
const name = /** @type {string} */ (page.lesson);
const SAVED = `clusterviz.lesson.${name}`;
const kept = JSON.parse(sessionStorage.getItem(SAVED) ?? "{}");
/** A packet that the link asks for. */
const linked = probeIn(location.hash);
const api = new LessonApi(name, placeIn(location.hash, kept));
const store = new Store();
const signals = new Signals();
const calm = matchMedia("(prefers-reduced-motion: reduce)");
let selected = "";
/** @type {any} the last answer of the server */
let told = null;
/** @type {import("./room.js").Attendance|null} */
let room = null;
/** @type {(value?: unknown) => void} */
let drawn = () => {};
const ready = new Promise((resolve) => { drawn = resolve; });

const surfaces = { scene: /** @type {HTMLCanvasElement} */ (byId("scene")), graph: byId("graph"), packets: /** @type {HTMLCanvasElement} */ (byId("packets")) };
const picture = new Picture(surfaces, { select: tapped, packet: () => {}, rest: () => {}, machines: api });
/** What the panels may use. */
const desk = { cluster: name, picture, api, store, signals, select, follow, selected: () => selected, now: null, remember, copyLink: async () => (await import("../panels/copy.js")).copy(location.href, t("Link")) };
const tracer = new Tracing(desk);
const copying = () => Boolean(api.run.copy);
const side = new SidePanel({ store, api, more: (entity) => (copying() ? moreChoices(entity) : []), editor: copying, login: "", select, ask: (ends) => tracer.ask(ends), line: () => null, focus: null, series: new Series(), signals });
const pointer = new Pointer(picture);
const pins = new Pins({ picture, choose: (number) => turn("predict", number) });
const panel = new LessonPanel({ turn, goTo, follow, look: select, deed: (deed) => api.changed?.(deed).then((answer) => (answer.ok ? null : toast(answer.body.error, "bad"))) }, {
  title: page.title ?? "", goal: page.goal ?? "", after: page.after ?? "", afterTitle: page.afterTitle ?? "", list: page.list ?? "",
  beliefs: [...byId("beliefs").children].map((one) => one.textContent ?? ""),
});
const ask = tracer.show.bind(tracer);
tracer.show = (trace, question) => { ask(trace, question); tab(); };

/** A person's turn; in a room it is the teacher's to move the lesson, and predictions are votes. @param {string} wanted @param {number} [number] */
async function turn(wanted, number) {
  if (room && !room.alone(wanted)) room.turn(wanted, number);
  else await take(wanted, number);
}

/** The turn under way: the next one starts from the place this one leads to, however late its answer comes. */
let under = Promise.resolve();

/** A turn after those before it. @param {string} wanted @param {number} [number] @param {() => import("../model/lessonplace.js").Run} [from] where it starts, when not where we are */
function take(wanted, number, from = () => api.run) {
  const now = under.then(() => taken(wanted, number, from()));
  under = now.catch(() => {});
  return now;
}

/** Asks the server for the next place, and shows it. @param {string} wanted @param {number|undefined} number @param {import("../model/lessonplace.js").Run} from */
async function taken(wanted, number, from) {
  api.run = from;
  const answer = await api.go(wanted, number);
  if (answer.ok) show(answer.body, wanted);
  else toast(answer.body.allowed ? `${answer.body.error} ${t("Allowed: {values}.", { values: answer.body.allowed })}` : answer.body.error, "bad");
}

/** @param {number} step from 1 */
function goTo(step) {
  if (room && !room.alone("go")) return void room.turn("go", step - 1);
  return take("", 0, () => ({ ...api.run, step, done: api.run.revealed.includes(step - 1), whatif: 0, copy: null }));
}

/** @param {any} body @param {string} wanted the turn that led here */
function show(body, wanted) {
  const fresh = !told;
  told = body;
  store.load(body.scene);
  if (wanted !== "predict") {
    if (tracer.panel.open) tracer.panel.close();
    room?.changed(body.run.copy);
    selected = "";
    pointer.clear();
    picture.setScene(store.entities, store.settings, fresh);
    side.show("");
  }
  light();
  panel.draw(body);
  pins.draw(body.view.fork === null && !body.view.copy ? body.view.question : null);
  api.changed = body.view.copy && !body.view.copy.full ? changer(api, show) : null;
  if (wanted !== "predict" && (!body.view.copy || wanted === "do" || wanted === "undo")) openTrace();
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (byId("depth").querySelectorAll("button"))) button.setAttribute("aria-pressed", String(button.dataset.depth === body.run.depth));
  byId("column").dataset.tab = "lesson";
  tab();
  remember();
  signals.tell("loaded", fresh);
  requestAnimationFrame(() => { pins.place(); drawn(); });
}

/** What the step is about stands in the light. */
function light() {
  const { question, copy } = told.view;
  const focus = copy ? [] : told.view.focus;
  const lit = new Set([...focus, ...(question?.refs ?? [])]);
  for (const id of [...lit]) if (store.entities.get(id)?.node) lit.add(store.entities.get(id).node);
  picture.filter = { dimmed: (id) => focus.length > 0 && !lit.has(id), shown: () => true };
  if (picture.layout) picture.drawEdges();
  picture.redraw();
}

/** The packet of the step, where its question is decided. */
function openTrace() {
  const { trace, question, view } = told;
  const held = document.activeElement;
  tracer.panel.level = told.run.depth === "novice" ? "novice" : "operator";
  if (!trace) return;
  tracer.show(trace, question);
  const rules = view.fork === null ? view.question?.rules ?? [] : Object.keys(told.rulebook);
  tracer.panel.go(opening(tracer.panel.all, rules));
  if (held instanceof HTMLElement) held.focus({ preventScroll: true });
}

/** @param {Record<string, string>} question */
async function follow(question) {
  const answer = await api.trace(question);
  if (!answer.ok) return void toast(answer.body.error, "bad");
  tracer.show(answer.body, question);
  return undefined;
}

/** An object that stands for a choice is chosen; another one is looked at. @param {string} id */
function tapped(id) {
  const { view } = told ?? {};
  const number = view?.question && view.question.right === null ? view.question.refs.indexOf(id) : -1;
  if (id && number >= 0) return void turn("predict", number);
  return select(id);
}

/** @param {string} id */
function select(id) {
  if (tracer.panel.open && id) tracer.panel.close();
  selected = id;
  picture.select(id);
  if (!tracer.panel.open) side.show(id);
  byId("column").dataset.tab = id ? "side" : "lesson";
  tab();
  if (told) remember();
  signals.tell("select", id);
}

/** The two leaves of the column. @param {string} [name] */
function tab(name) {
  const column = byId("column");
  const there = !byId("side").hidden;
  column.dataset.tab = there ? name ?? column.dataset.tab : "lesson";
  for (const leaf of ["lesson", "side"]) byId(`tab-${leaf}`).setAttribute("aria-pressed", String(column.dataset.tab === leaf));
  /** @type {HTMLButtonElement} */ (byId("tab-side")).disabled = !there;
  byId("tab-side").textContent = tracer.panel.open ? t("This packet") : t("Details");
}

/** The place stands in the address, with the packet somebody follows of their own; answers stay with the person. */
function remember() {
  const { step, done, depth, whatif, answers, revealed, copy } = api.run;
  const asks = Boolean(told?.view.question);
  const own = tracer.panel.open && tracer.panel.question?.from && tracer.panel.trace !== told?.trace ? probeSaid(tracer.panel.question) : "";
  history.replaceState(null, "", `#step=${step}${asks && done ? "&shown=1" : ""}${depth === "novice" ? "" : `&depth=${depth}`}${whatif ? `&whatif=${whatif}` : ""}${copy ? `&copy=${copy.map(encodeURIComponent).join(";")}` : ""}${own}`);
  sessionStorage.setItem(SAVED, JSON.stringify({ answers, revealed }));
  if (told?.view.last) localStorage.setItem(`${SAVED}.finished`, "yes");
}

/** One decision on: the next hop of the packet, then the next place of the lesson. @param {number} by */
function walk(by) {
  const { panel: packet } = tracer;
  const next = packet.at + by;
  if (packet.open && next >= 0 && next < packet.all.length) packet.go(next);
  else if (by > 0 ? !told?.view.last : !told?.view.first) turn(by > 0 ? "forward" : "back");
}

/** What the teacher of a room looks at, for the class. */
function looking() {
  return { select: selected, trace: tracer.panel.open && tracer.panel.trace === told?.trace ? tracer.panel.at : -1, camera: picture.camera.view(), pen: pointer.ways, spot: pointer.spot };
}

/** Looks at what the teacher looks at. @param {import("./room.js").Scene} scene */
function look(scene) {
  if (scene.select !== selected) select(scene.select);
  if (scene.trace >= 0 && told?.trace) {
    if (!tracer.panel.open) openTrace();
    tracer.panel.go(scene.trace);
  } else if (tracer.panel.open) tracer.panel.close();
  picture.camera.show(scene.camera);
  pointer.show(scene);
}

async function attend() {
  const { Attendance } = await import("./room.js");
  room = new Attendance({ code: page.room ?? "", qr: page.qr ?? "", desk: page.desk ?? "", api, turn: take, told: () => told, looking, look });
}

async function teach() {
  const answer = await api.teach(name);
  if (!answer.ok) return void toast(answer.body.error, "bad");
  (await import("../net/room.js")).places.keep(answer.body.code, { key: answer.body.key });
  location.assign(answer.body.url);
  return undefined;
}

async function share() {
  const base = new URL(`/lessons/${encodeURIComponent(name)}/`, location.href);
  (await import("../panels/share.js")).openShare({ title: page.title ?? "", base, hash: location.hash });
}

function dim() {
  byId("dim").hidden = !byId("dim").hidden;
  picture.still = calm.matches || !byId("dim").hidden;
}

function retheme() {
  picture.retheme();
  requestAnimationFrame(() => { picture.camera.resized(); pins.place(); });
}

const presentation = new Presentation(retheme);
const DEPTHS = ["novice", "operator", "kernel"];
const projector = () => setTheme(theme() === "projector" ? "auto" : "projector", retheme);
const bindings = [
  { key: "PageDown", shown: "→  space  PageDown", does: t("on: the next hop, then the next step"), run: () => walk(1) },
  { key: "PageUp", shown: "←  PageUp", does: t("back by one"), run: () => walk(-1) },
  { key: "1", shown: "1 … 8", does: t("choose an answer"), run: () => turn("predict", 0) },
  { key: "]", does: t("the next step, past the packet"), run: () => turn("forward") },
  { key: "[", does: t("the step before"), run: () => turn("back") },
  { key: "d", does: t("deeper words"), run: () => turn(DEPTHS[(DEPTHS.indexOf(api.run.depth) + 1) % 3]) },
  { key: "F5", does: t("begin the presentation: the whole screen, for a projector; F5 or Esc ends it"), run: () => presentation.toggle() },
  { key: "p", does: t("for a projector, and back"), run: projector },
  { key: ".", shown: ".  b", does: t("stand still and darken the screen; again: go on"), run: dim },
  { key: "w", does: t("pen; again: put it away"), run: () => pointer.toggle("pen") },
  { key: "s", does: t("spotlight; again: put it away"), run: () => pointer.toggle("spot") },
  { key: "t", does: t("trace a packet of your own"), run: () => tracer.ask({}) },
  { key: "g", does: t("go through the picture by keyboard"), run: async () => (await import("../panels/walker.js")).enter() },
  { key: "0", does: t("fit the picture"), run: () => picture.camera.fit() },
  { key: "?", does: t("this sheet"), run: sheet },
  { key: "Escape", shown: "Esc", does: t("close the packet, or what is selected"), run: () => presentation.end() || (tracer.panel.open ? tracer.panel.close() : select("")) },
];

/** @param {KeyboardEvent} event @returns {boolean} */
function first(event) {
  if (!byId("dim").hidden) dim();
  else if (event.key === "ArrowRight" || event.key === " ") walk(1);
  else if (event.key === "ArrowLeft") walk(-1);
  else if (event.key === "b") dim();
  else if (/^[2-8]$/.test(event.key)) turn("predict", Number(event.key) - 1);
  else if (tracer.panel.open && (event.key === "Home" || event.key === "End")) tracer.panel.key(event);
  else return false;
  return true;
}

async function sheet() {
  (await import("../panels/keysheet.js")).keySheet(bindings);
}

bindKeys(bindings, first);
themeButton(retheme);
byId("ask").addEventListener("click", () => tracer.ask({}));
byId("fit").addEventListener("click", () => picture.camera.fit());
byId("keys").addEventListener("click", sheet);
byId("dim").addEventListener("click", dim);
byId("tab-lesson").addEventListener("click", () => tab("lesson"));
byId("tab-side").addEventListener("click", () => tab("side"));
byId("depth").addEventListener("click", (event) => {
  const depth = event.target instanceof HTMLElement ? event.target.dataset.depth : "";
  if (depth) turn(depth);
});
calm.addEventListener("change", () => { picture.still = calm.matches; picture.redraw(); });
addEventListener("hashchange", async () => {
  const to = location.hash;
  const packet = probeIn(to);
  await take("", 0, () => placeIn(to, api.run));
  if (packet) await follow(packet);
});
picture.still = calm.matches;
stayAwake();
turn("").then(() => (linked ? follow(linked) : null)).then(() => import("../panels/walker.js")).then((m) => m.start(desk)).then(() => (page.room ? attend() : null));
document.getElementById("share")?.addEventListener("click", share);
document.getElementById("teach")?.addEventListener("click", teach);
// Who chooses another language comes back to this very place: a server never hears what stands behind the #.
document.querySelector("form.language")?.addEventListener("submit", (event) => {
  const { next } = /** @type {any} */ (/** @type {HTMLFormElement} */ (event.target).elements);
  next.value = `${location.pathname}${location.search}${location.hash}`;
});

Object.assign(window, { clusterviz: { ready, get cy() { return picture.cy; }, place: () => ({ ...api.run, phase: told?.view.phase, last: told?.view.last, trace: tracer.panel.open }) } });
