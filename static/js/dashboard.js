/** Puts the rooms together: socket -> model -> picture and panels. */
import "./panels/words.js";
import { Signals } from "./desk/signals.js";
import { Picture } from "./graph/picture.js";
import { fragment, read } from "./model/address.js";
import { Feed } from "./model/feed.js";
import { isActive, matches, NOTHING, shows } from "./model/filter.js";
import { Series } from "./model/series.js";
import { Session } from "./model/session.js";
import { isBig } from "./model/size.js";
import { Store } from "./model/store.js";
import { VIEWS } from "./model/views.js";
import { Api } from "./net/http.js";
import { Connection } from "./net/socket.js";
import { byId, fill, h } from "./panels/dom.js";
import { filterBox } from "./panels/filters.js";
import { importer } from "./panels/importer.js";
import { bindKeys } from "./panels/keys.js";
import { searchBox } from "./panels/search.js";
import { toast } from "./panels/toasts.js";
import { notice, status, toolbar } from "./panels/toolbar.js";

const page = byId("dash").dataset;
/** A recording instead of a server. */
const replay = page.replay ? await (await import("./desk/replay.js")).opened() : null;
const api = /** @type {Api} */ (replay?.api ?? new Api(/** @type {string} */ (page.cluster)));
const store = new Store();
const login = page.login ?? "/login/";
const calm = matchMedia("(prefers-reduced-motion: reduce)");
let editor = page.editor === "yes";
let filter = { ...NOTHING };
let selected = "";
let lastTraffic = 0;
/** @type {Set<string>} ids that changed since the last drawing */
const stale = new Set();
let refreshing = 0;
const FLUSH = 250;
/** @type {(value?: unknown) => void} */
let drawn = () => {};
const ready = new Promise((resolve) => { drawn = resolve; });

const surfaces = { scene: /** @type {HTMLCanvasElement} */ (byId("scene")), graph: byId("graph"), packets: /** @type {HTMLCanvasElement} */ (byId("packets")) };
/** @type {import("./graph/picture.js").Handlers} */
const handlers = { select: (id) => choose(id), packet: (connection) => follow({ connection }), rest, machines: api };
let picture = new Picture(surfaces, handlers);
/** @type {import("./desk/big.js").Big|null} the picture of a big cluster, loaded when one is big */
let big = null;
const unfit = () => isBig(store, Boolean(big?.active)) !== Boolean(big?.active);
const signals = new Signals();
const series = new Series();
/** @type {import("./panels/side.js").SidePanel|null} what is loaded when it is first wanted */
let side = null;
/** @type {import("./desk/tracing.js").Tracing|null} */
let tracer = null;
const tracing = () => tracer?.panel.open ?? false;
const feed = new Feed({ apply, call: ([id, , connection]) => picture.single(id, connection), waiting: showWaiting });
const session = new Session(store, {
  snapshot: () => api.snapshot(),
  loaded, deliver: (message) => feed.push(message),
  status: (state, words) => {
    status(state === "live" ? liveState() : state, state === "live" ? liveWords() : words);
    if (words) notice(words, state === "live" ? 4000 : 0);
    else if (state === "live") notice("");
  },
  editor: (value) => { editor = value; },
  say: (message) => socket.send?.(message),
});
const socket = replay?.greet(session) ?? new Connection(/** @type {string} */ (page.cluster), {
  message: (message) => session.hear(message),
  lost: () => session.lost(),
  gone: () => { status("reconnecting", "no such cluster"); notice("This cluster does not exist any more."); },
  position: () => session.position(),
});

store.lender = (ids) => api.entities({ ids: ids.join(",") });
store.arrived = (ids) => {
  for (const id of ids) stale.add(id);
  if (!refreshing) refreshing = setTimeout(refresh, FLUSH);
};

/** A cluster that outgrew its picture, or shrank, gets the other one. @param {boolean} fresh */
async function refit(fresh) {
  const { Big } = await import("./desk/big.js");
  big ??= new Big(desk, surfaces, handlers, (next) => { picture = next; });
  big.turn();
  loaded(fresh);
}

/** @param {boolean} fresh */
function loaded(fresh) {
  if (unfit()) return void refit(fresh);
  feed.clear();
  picture.routes = store.routes;
  picture.packets.clear();
  picture.marks.clear();
  picture.setScene(store.entities, store.settings, fresh);
  applyFilter();
  side?.refresh(new Set());
  welcome();
  log?.refresh();
  signals.tell("loaded", fresh);
  requestAnimationFrame(() => drawn());
  return undefined;
}

/** @param {any} message */
function apply(message) {
  if (message.type === "traffic") return applyTraffic(message);
  const { changed, gap } = store.state(message);
  if (gap) return void session.resync("the picture fell behind");
  if (message.events.length) log?.refresh();
  signals.tell("state", message);
  if (!changed) return undefined;
  for (const id of message.unset) stale.add(id);
  for (const { id } of message.set) stale.add(id);
  if (!refreshing) refreshing = setTimeout(refresh, FLUSH);
  return undefined;
}

/** Draws what changed, at most four times a second: the cost is the redraw, not the change. */
function refresh() {
  refreshing = 0;
  if (unfit()) return void refit(false);
  const ids = new Set(stale);
  stale.clear();
  picture.setScene(store.entities, store.settings);
  if (tracing()) tracer?.panel.shine();
  else {
    picture.select(selected);
    side?.refresh(ids);
  }
  if (isActive(filter)) applyFilter();
  welcome();
  signals.tell("drawn", ids);
  return undefined;
}

/** @param {any} message */
function applyTraffic(message) {
  const { fresh, known } = store.traffic(message);
  if (!known) return;
  if (fresh) picture.setRoutes(store.routes);
  series.add(message.time, message.totals.flows);
  const now = performance.now();
  picture.addCalls(message.calls, Math.min(1500, now - lastTraffic));
  lastTraffic = now;
  Object.assign(byId("worth"), { textContent: picture.legend(store.totals.rps), title: picture.told() });
  if (!feed.paused) status(liveState(), liveWords());
  signals.tell("traffic", message);
}

function liveState() {
  return feed.paused ? "paused" : "live";
}

function liveWords() {
  return feed.paused ? `paused · ${feed.waiting} waiting` : `live · ${store.totals.rps.toFixed(store.totals.rps < 10 ? 1 : 0)} req/s`;
}

/** @param {number} count */
function showWaiting(count) {
  if (!feed.paused) return;
  status("paused", `paused · ${count} waiting`);
  notice(`paused · ${count} waiting`);
}

/** An empty cluster says what to do. */
function welcome() {
  const box = byId("welcome");
  const empty = ![...store.entities.values()].some((e) => e.kind === "pod" || e.kind === "node");
  box.hidden = !empty;
  if (empty) {
    fill(box, h("h2", {}, "This cluster is empty"), h("p", {}, "Drop Kubernetes manifests anywhere on this page, or paste them."),
      h("button.strong", { testid: "welcome-import", onclick: () => imports.open() }, "Import manifests"));
  }
}

/** @param {string} id @param {boolean} [centred] in the middle of the picture */
function choose(id, centred = false) {
  if (tracing()) tracer?.panel.close();
  selected = id;
  picture.select(id);
  showSide();
  picture.camera.bring(() => picture.layout?.boxes.get(id), centred, () => Boolean(id) && id === selected);
  remember();
  signals.tell("select", id);
}

/** The side panel shows what is selected by the time it is there. */
async function showSide() {
  if (!side && !selected) return;
  const { SidePanel } = await import("./panels/side.js");
  side ??= new SidePanel({ store, api, editor: () => editor, login, select: (id) => choose(id), ask: (ends) => ask(ends), line: (id) => picture.lines.get(id), focus: async (id) => (await views()).focus(id), series, signals });
  if (!tracing()) side.show(selected);
}

/** Keeps the address in step with what is shown; going back leaves the cluster, not the last click. */
function remember() {
  const shown = { select: store.entities.has(selected) ? selected : "", filter, trace: tracing() ? tracer?.panel.question ?? null : null, at: timeline?.player.playing ? null : timeline?.at, ...desk.shown };
  history.replaceState(null, "", fragment(shown) || location.pathname + location.search);
}

/** Shows what the address names: `#select=pod:shop/db-0&filter=namespace:shop&trace=internet|http://shop.example.com/||0`. */
async function restore() {
  const shown = read(location.hash);
  const link = location.hash;
  if (shown.at) await timed;
  if (shown.at && shown.at.toFixed(1) !== timeline?.at?.toFixed(1)) await timeline?.go(shown.at);
  if (fragment({ select: selected, filter, trace: null, at: shown.at, ...desk.shown }) === link || !(link || selected || desk.shown.view || desk.shown.focus)) return;
  filters.assign(shown.filter);
  if (shown.view !== desk.shown.view || shown.focus !== desk.shown.focus) await (await views()).restore(shown);
  await store.entity(shown.select);
  choose(store.entities.has(shown.select) ? shown.select : "", true);
  if (shown.select && !store.entities.has(shown.select)) toast(`${shown.select} is not in this cluster.`, "bad");
  if (shown.trace) await follow(shown.trace);
}

function applyFilter() {
  const bright = matches(filter);
  const all = store.entities;
  const active = isActive(filter) && (filter.namespace || filter.kind || filter.label);
  picture.filter = { dimmed: (id) => Boolean(active) && !bright(all.get(id)), shown: shows(filter, all) };
  /** @type {any} */ (picture).setFilter?.(active ? filter : null);
  if (picture.layout) picture.drawEdges();
  picture.redraw();
}

async function tracings() {
  const { Tracing } = await import("./desk/tracing.js");
  tracer ??= new Tracing(desk);
  return tracer;
}

/** @param {{from?: string, to?: string}} ends */
async function ask(ends) {
  (await tracings()).ask(ends);
}

/** @type {import("./panels/eventlog.js").EventLog|null} */
let log = null;
async function events() {
  const { EventLog } = await import("./panels/eventlog.js");
  log ??= new EventLog(desk);
  log.toggle();
}

/** @type {import("./panels/hovercard.js").HoverCard|null} */
let card = null;
let resting = 0;
const REST = 300;

/** @param {string} id what the pointer is on */
function rest(id) {
  clearTimeout(resting);
  card?.hide();
  if (id) resting = setTimeout(async () => {
    const mine = resting;
    const { HoverCard } = await import("./panels/hovercard.js");
    const box = picture.screenBox(id);
    card ??= new HoverCard(store);
    if (box && mine === resting) card.show(id, box);
  }, REST);
}

/** @param {Record<string, string>} question */
async function follow(question) {
  const answer = await api.trace(question);
  if (answer.ok) (await tracings()).show(answer.body, question);
  else toast(answer.status === 404 ? "That connection is forgotten by now: click a newer packet." : answer.body.error, "bad");
}

/** @type {import("./desk/timeline.js").TimeDesk|null} */
let timeline = null;

/** @param {boolean} on */
function setPaused(on) {
  if (timeline?.away) return void timeline.play(!on);
  picture.paused = on;
  if (on) feed.pause();
  else {
    feed.resume();
    notice("");
    for (const dot of picture.packets.dots) dot.alone = false;
  }
  status(liveState(), liveWords());
  timeline?.strip.draw();
  picture.loop.wake();
}

function step() {
  if (timeline?.away) return void timeline.step(1);
  if (!feed.step()) notice("paused · no call waits yet", 1500);
}

function setCalm() {
  picture.still = calm.matches;
  if (picture.layout) picture.drawEdges();
  picture.redraw();
}

const bar = toolbar({ pause: setPaused, step, speed: (factor) => { picture.speed = factor; timeline?.speed(factor); }, theme: () => picture.retheme() });
const searching = searchBox({ entities: () => store.entities.values(), select: choose, server: () => (store.mass ? (words) => api.search(words) : null) });
const filters = filterBox({ entities: () => store.entities.values(), change: (next) => { filter = next; applyFilter(); remember(); signals.tell("filter", filter); } });
const imports = importer({ send: (source, dry) => api.importManifests(source, dry), editor: () => editor, login });
const network = async () => (await import("./panels/settings.js")).openSettings({ load: () => api.settings(), save: (changes) => api.changeSettings(changes), editor: () => editor, login });
const copyLink = async () => (await import("./panels/copy.js")).copy(location.href, "Link");
/** What the panels that are loaded later may use. */
const desk = {
  cluster: /** @type {string} */ (replay?.head.cluster ?? page.cluster), store, api, feed, session, bar, signals, series, toast, login, manifests: `${api.base}export`, link: () => location.href,
  get picture() { return picture; },
  svg: async (/** @type {string} */ title) => (await import("./graph/copyof.js")).svgOf(picture, title),
  png: async () => (await import("./graph/copyof.js")).pngOf(picture, 2),
  bindings: () => bindings, selected: () => selected, now: () => timeline?.at ?? timeline?.now() ?? Date.now() / 1000, filter: () => filter, select: choose, ask, follow, remember, copyLink, editor: () => editor,
  act: (/** @type {Record<string, any>} */ action) => api.act(action),
  /** What this browser looks at closely: the server traces what passes there. */
  watch: (/** @type {string[]} */ ids) => session.watch(ids),
  narrow: (/** @type {Record<string, string>} */ next) => filters.assign({ ...filter, ...next }),
  /** What panels offer in the menu of an object. @type {import("./panels/contextmenu.js").Desk["offers"]} */
  offers: [],
  /** How it is shown: the view, "" by node, and the one object in focus. */
  shown: { view: "", focus: "" },
  traced: () => (tracer?.panel.open ? { trace: tracer.panel.stack[0].trace, question: tracer.panel.question ?? {} } : null),
};
const exporting = async () => (await import("./panels/exportmenu.js")).exportMenu(desk);
const palette = async () => (await import("./panels/palette.js")).openPalette(desk);
const views = async () => (await import("./panels/views.js")).start(desk);
const bindings = [
  ...VIEWS.map(({ key, does, name }) => ({ key, does, run: async () => (await views()).go(name) })),
  { key: "Alt+arrows", shown: "Alt ←→↑↓", does: "move the selected thing in the picture; it can be dragged, too", run: async () => (await views()).arranger.begin(selected) },
  { key: "R", shown: "Shift R", does: "put everything back where it stood", run: async () => (await views()).arranger.putAllBack() },
  { key: "o", does: "focus: the selected object and what it touches", run: async () => (await views()).toggleFocus() },
  { key: "Ctrl+K", shown: "Ctrl K", does: "commands: everything by name", run: palette },
  { key: "/", does: "search", run: searching.focus },
  { key: " ", shown: "space", does: "pause; again: jump to now", run: bar.toggle },
  { key: ".", does: "one call, while paused", run: () => (timeline?.away ? timeline.step(1) : bar.step()) },
  { key: ",", does: "step back", run: () => timeline?.step(-1) },
  { key: "l", does: "jump to now", run: () => timeline?.toNow() },
  { key: "b", does: "bookmark this moment", run: () => timeline?.bookmark() },
  { key: "+", does: "faster", run: () => bar.faster(1) },
  { key: "-", does: "slower", run: () => bar.faster(-1) },
  { key: "t", does: "trace a packet", run: () => ask({}) },
  { key: "f", does: "filter", run: filters.toggle },
  { key: "i", does: "import manifests", run: imports.open },
  { key: "n", does: "network settings", run: network },
  { key: "e", does: "events", run: events },
  { key: "x", does: "export", run: exporting },
  { key: "w", does: "the picture in words", run: async () => (await import("./panels/twin.js")).start(desk).toggle() },
  { key: "g", does: "go through the picture by keyboard", run: async () => (await import("./panels/walker.js")).enter() },
  { key: "0", does: "fit the picture", run: () => picture.camera.fit() },
  { key: "?", does: "this sheet", run: sheet },
  { key: "d", does: "fold the details at the side, or show them", run: async () => (await import("./panels/fold.js")).fold() },
  { key: "Escape", shown: "Esc", does: "close the panel", run: () => choose("") },
];
async function sheet() { (await import("./panels/keysheet.js")).keySheet(bindings); }
bindKeys(bindings, (event) => tracing() && Boolean(tracer?.panel.key(event)));
addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey || event.key.toLowerCase() !== "k") return;
  event.preventDefault();
  // Judged when the key is pressed: by the time the palette is loaded the dialog in its way may be gone.
  if (!document.querySelector('dialog[open]:not([data-testid="palette"])')) palette();
});
byId("ask").addEventListener("click", () => ask({}));
const buttons = { import: imports.open, settings: network, export: exporting, keys: sheet };
for (const [id, opens] of Object.entries(buttons)) byId(id).addEventListener("click", opens);
byId("fit").addEventListener("click", () => picture.camera.fit());
calm.addEventListener("change", setCalm);
addEventListener("hashchange", restore);
/** What is furnished once the first picture stands: each module gets the desk. */
const LATER = [
  () => import("./panels/side.js"),
  () => import("./panels/fold.js").then((m) => m.start()),
  views,
  () => import("./panels/contextmenu.js").then((m) => m.start(desk)),
  () => import("./panels/walker.js").then((m) => m.start(desk)),
  () => import("./panels/twin.js").then((m) => m.start(desk)),
  () => import("./graph/minimap.js").then((m) => m.start(desk)),
  async () => { if (!replay) (await import("./panels/whatif.js")).start(desk); },
  async () => { if (new URLSearchParams(location.search).has("tour")) await (await import("./panels/tour.js")).startTour(page.tour ?? ""); },
];
/** Time is there right after the first picture; only a link to a moment waits for it. */
const timed = ready.then(async () => { timeline = (await import("./desk/timeline.js")).start(desk, replay); });
const furnished = Promise.all([timed, ready.then(restore).then(() => Promise.all(LATER.map((load) => load())))]).then(() => {});
setCalm();

Object.assign(window, { clusterviz: {
  ready, furnished, get cy() { return picture.cy; },
  stats: () => ({
    frames: picture.loop.frames, frame: { p50: picture.loop.cost(0.5), p95: picture.loop.cost(0.95) }, dots: picture.packets.dots.length,
    worth: picture.packets.worth, marks: picture.marks.all.size, level: picture.nearness.level, elements: picture.cy.elements().length, messages: socket.received, seq: store.seq, epoch: store.epoch,
    waiting: feed.waiting, behind: /** @type {any} */ (picture).tiles?.waiting ?? 0, routes: store.routes.size, calls: store.totals.rps,
  }),
  /** Where packets are on the screen, for tests. */
  packets: () => picture.screenDots(),
  flows: () => store.totals.flows,
  /** How many pods some policy isolates. */
  walled: () => [...store.entities.values()].filter((e) => e.isolated?.ingress || e.isolated?.egress).length,
  /** Loses the connection, as a bad network does. */
  drop: () => socket.socket?.close(),
} });
