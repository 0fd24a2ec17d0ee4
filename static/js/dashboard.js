/** Puts the rooms together: socket -> model -> picture and panels. */
import { Picture } from "./graph/picture.js";
import { fragment, read } from "./model/address.js";
import { Feed } from "./model/feed.js";
import { isActive, matches, NOTHING, shows } from "./model/filter.js";
import { way } from "./model/lines.js";
import { Session } from "./model/session.js";
import { Store } from "./model/store.js";
import { flagOf, reaches, routesOf } from "./model/walk.js";
import { Api } from "./net/http.js";
import { Connection } from "./net/socket.js";
import { byId, fill, h } from "./panels/dom.js";
import { filterBox } from "./panels/filters.js";
import { importer } from "./panels/importer.js";
import { bindKeys, keySheet } from "./panels/keys.js";
import { searchBox } from "./panels/search.js";
import { SidePanel } from "./panels/side.js";
import { toast } from "./panels/toasts.js";
import { notice, status, toolbar } from "./panels/toolbar.js";

const page = byId("dash").dataset;
const api = new Api(/** @type {string} */ (page.cluster));
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

const picture = new Picture(
  { scene: /** @type {HTMLCanvasElement} */ (byId("scene")), graph: byId("graph"), packets: /** @type {HTMLCanvasElement} */ (byId("packets")) },
  { select: (id) => choose(id), packet: (connection) => follow({ connection }), rest },
);
const side = new SidePanel({ store, api, editor: () => editor, login, select: (id) => choose(id), ask: (ends) => ask(ends), line: (id) => picture.lines.get(id) });
/** @type {import("./panels/trace.js").TracePanel|null} what is loaded when it is first wanted */
let tracer = null;
const tracing = () => tracer?.open ?? false;
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
});
const socket = new Connection(/** @type {string} */ (page.cluster), {
  message: (message) => session.hear(message),
  lost: () => session.lost(),
  gone: () => { status("reconnecting", "no such cluster"); notice("This cluster does not exist any more."); },
  position: () => session.position(),
});

/** @param {boolean} fresh */
function loaded(fresh) {
  feed.clear();
  picture.routes = store.routes;
  picture.packets.clear();
  picture.setScene(store.entities, store.settings, fresh);
  applyFilter();
  side.refresh(new Set());
  welcome();
  log?.refresh();
  requestAnimationFrame(() => drawn());
}

/** @param {any} message */
function apply(message) {
  if (message.type === "traffic") return applyTraffic(message);
  const { changed, gap } = store.state(message);
  if (gap) return void session.resync("the picture fell behind");
  if (message.events.length) log?.refresh();
  if (!changed) return undefined;
  for (const id of message.unset) stale.add(id);
  for (const { id } of message.set) stale.add(id);
  if (!refreshing) refreshing = setTimeout(refresh, FLUSH);
  return undefined;
}

/** Draws what changed, at most four times a second: the cost is the redraw, not the change. */
function refresh() {
  refreshing = 0;
  const ids = new Set(stale);
  stale.clear();
  picture.setScene(store.entities, store.settings);
  if (tracing()) tracer?.shine();
  else {
    picture.select(selected);
    side.refresh(ids);
  }
  if (isActive(filter)) applyFilter();
  welcome();
}

/** @param {any} message */
function applyTraffic(message) {
  const { fresh, known } = store.traffic(message);
  if (!known) return;
  if (fresh) picture.setRoutes(store.routes);
  const now = performance.now();
  picture.addCalls(message.calls, Math.min(1500, now - lastTraffic));
  lastTraffic = now;
  const { worth } = picture.packets;
  byId("worth").textContent = picture.still ? `${store.totals.rps.toFixed(0)} connections a second` : `1 dot = ${worth} connection${worth === 1 ? "" : "s"}`;
  if (!feed.paused) status(liveState(), liveWords());
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
  if (tracing()) tracer?.close();
  selected = id;
  picture.select(id);
  side.show(id);
  requestAnimationFrame(() => picture.camera.reveal(picture.layout?.boxes.get(id), centred));
  remember();
}

/** Keeps the address in step with what is shown; going back leaves the cluster, not the last click. */
function remember() {
  const shown = { select: store.entities.has(selected) ? selected : "", filter, trace: tracing() ? tracer?.question ?? null : null };
  history.replaceState(null, "", fragment(shown) || location.pathname + location.search);
}

/** Shows what the address names: `#select=pod:shop/db-0&filter=namespace:shop&trace=internet|http://shop.example.com/||0`. */
async function restore() {
  const shown = read(location.hash);
  const link = location.hash;
  if (fragment({ select: selected, filter, trace: null }) === link || !(link || selected)) return;
  filters.assign(shown.filter);
  choose(store.entities.has(shown.select) ? shown.select : "", true);
  if (shown.select && !store.entities.has(shown.select)) toast(`${shown.select} is not in this cluster.`, "bad");
  if (shown.trace) await follow(shown.trace);
}

function applyFilter() {
  const bright = matches(filter);
  const all = store.entities;
  const active = isActive(filter) && (filter.namespace || filter.kind || filter.label);
  picture.filter = { dimmed: (id) => Boolean(active) && !bright(all.get(id)), shown: shows(filter, all) };
  if (picture.layout) picture.drawEdges();
  picture.redraw();
}

/** @param {{from?: string, to?: string}} ends */
async function ask(ends) {
  const { askTrace } = await import("./panels/traceform.js");
  askTrace(ends, { entities: store.entities.values(), trace: (question) => api.trace(question), show });
}

/** @param {any} trace @param {Record<string, string>} question */
async function show(trace, question) {
  const { TracePanel } = await import("./panels/trace.js");
  tracer ??= new TracePanel({ light, select: (id) => choose(id), again: (again) => follow(again), captures: (asked) => api.captures(asked), copyLink, closed: () => choose(selected) });
  tracer.show(trace, question);
  remember();
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
  if (answer.ok) await show(answer.body, question);
  else toast(answer.status === 404 ? "That connection is forgotten by now: click a newer packet." : answer.body.error, "bad");
}

/** @type {{trace: any, layout: any, ways: {forward: any, back: any}, reached: number[]}|null} */
let lit = null;

/** @param {any} trace @param {import("./model/walk.js").Beat|null} beat @param {number} index @param {import("./model/walk.js").Beat[]} all */
function light(trace, beat, index, all) {
  if (!trace || !beat || !picture.tracks) {
    lit = null;
    return picture.setSpot(null);
  }
  if (lit?.trace !== trace || lit?.layout !== picture.layout) {
    const { forward, reverse } = routesOf(trace);
    const ways = { forward: way(forward, picture.tracks), back: way(reverse, picture.tracks) };
    lit = { trace, layout: picture.layout, ways, reached: reaches(all, ways.forward?.stops, ways.back?.stops) };
  }
  const refs = new Set(all.flatMap((one) => [one.ref, one.hop.place.ref]).concat(trace.waypoints.map((/** @type {any} */ w) => w.ref)));
  for (const id of [...refs]) if (picture.entities.get(id)?.node) refs.add(picture.entities.get(id).node);
  return picture.setSpot({ way: lit.ways.forward, back: lit.ways.back, reply: beat.reply, reached: lit.reached[index], refs, ref: beat.ref,
    flag: flagOf(beat), failed: beat.failed });
}

/** @param {boolean} on */
function setPaused(on) {
  picture.paused = on;
  if (on) feed.pause();
  else {
    feed.resume();
    notice("");
    for (const dot of picture.packets.dots) dot.alone = false;
  }
  status(liveState(), liveWords());
  picture.loop.wake();
}

function step() {
  if (!feed.step()) notice("paused · no call waits yet", 1500);
}

function setCalm() {
  picture.still = calm.matches;
  if (picture.layout) picture.drawEdges();
  picture.redraw();
}

const bar = toolbar({ pause: setPaused, step, speed: (factor) => { picture.speed = factor; }, theme: () => picture.retheme() });
const searching = searchBox({ entities: () => store.entities.values(), select: choose });
const filters = filterBox({ entities: () => store.entities.values(), change: (next) => { filter = next; applyFilter(); remember(); } });
const imports = importer({ send: (source, dry) => api.importManifests(source, dry), editor: () => editor, login });
const network = async () => (await import("./panels/settings.js")).openSettings({ load: () => api.settings(), save: (changes) => api.changeSettings(changes), editor: () => editor, login });
/** What the panels that are loaded later may use. */
const desk = {
  cluster: /** @type {string} */ (page.cluster), store, manifests: `${api.base}export`, link: () => location.href,
  svg: async (/** @type {string} */ title) => (await import("./graph/copyof.js")).svgOf(picture, title),
  png: async () => (await import("./graph/copyof.js")).pngOf(picture, 2),
  bindings: () => bindings, selected: () => selected, select: choose, ask, editor: () => editor,
  act: (/** @type {Record<string, any>} */ action) => api.act(action),
  traced: () => (tracer?.open ? { trace: tracer.stack[0].trace, question: tracer.question ?? {} } : null),
};
const exporting = async () => (await import("./panels/exportmenu.js")).exportMenu(desk);
const palette = async () => (await import("./panels/palette.js")).openPalette(desk);
const copyLink = async () => (await import("./panels/copy.js")).copy(location.href, "Link");
const bindings = [
  { key: "Ctrl+K", shown: "Ctrl K", does: "commands: everything by name", run: palette },
  { key: "/", does: "search", run: searching.focus },
  { key: " ", shown: "space", does: "pause, go on", run: bar.toggle },
  { key: ".", does: "one call, while paused", run: bar.step },
  { key: "+", does: "faster", run: () => bar.faster(1) },
  { key: "-", does: "slower", run: () => bar.faster(-1) },
  { key: "t", does: "trace a packet", run: () => ask({}) },
  { key: "f", does: "filter", run: filters.toggle },
  { key: "i", does: "import manifests", run: imports.open },
  { key: "n", does: "network settings", run: network },
  { key: "e", does: "events", run: events },
  { key: "x", does: "export", run: exporting },
  { key: "0", does: "fit the picture", run: () => picture.camera.fit() },
  { key: "?", does: "this sheet", run: () => keySheet(bindings) },
  { key: "Escape", shown: "Esc", does: "close the panel", run: () => choose("") },
];
bindKeys(bindings, (event) => tracing() && Boolean(tracer?.key(event)));
addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey || event.key.toLowerCase() !== "k") return;
  event.preventDefault();
  // Judged when the key is pressed: by the time the palette is loaded the dialog in its way may be gone.
  if (!document.querySelector('dialog[open]:not([data-testid="palette"])')) palette();
});
byId("ask").addEventListener("click", () => ask({}));
byId("import").addEventListener("click", imports.open);
byId("settings").addEventListener("click", network);
byId("export").addEventListener("click", exporting);
byId("fit").addEventListener("click", () => picture.camera.fit());
byId("keys").addEventListener("click", () => keySheet(bindings));
calm.addEventListener("change", setCalm);
addEventListener("hashchange", restore);
ready.then(restore);
setCalm();

Object.assign(window, { clusterviz: {
  ready, cy: picture.cy,
  stats: () => ({
    frames: picture.loop.frames, frame: { p50: picture.loop.cost(0.5), p95: picture.loop.cost(0.95) }, dots: picture.packets.dots.length,
    worth: picture.packets.worth, elements: picture.cy.elements().length, messages: socket.received, seq: store.seq, epoch: store.epoch,
    waiting: feed.waiting, routes: store.routes.size, calls: store.totals.rps,
  }),
  /** Where packets are on the screen, for tests. */
  packets: () => picture.screenDots(),
  flows: () => store.totals.flows,
  /** How many pods some policy isolates. */
  walled: () => [...store.entities.values()].filter((e) => e.isolated?.ingress || e.isolated?.egress).length,
  /** Loses the connection, as a bad network does. */
  drop: () => socket.socket?.close(),
} });
