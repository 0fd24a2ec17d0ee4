/** What can be done with an object, at the place where it is: by the second mouse button, or Shift+F10 on the selection. */
import { choices, perform, send } from "./actions.js";
import { copy } from "./copy.js";
import { asDestination, asSource, titleOf } from "./describe.js";
import { byId } from "./dom.js";
import { openMenu } from "./menu.js";

/**
 * @typedef {object} Desk
 * @property {import("../model/store.js").Store} store
 * @property {any} picture
 * @property {() => string} selected
 * @property {(id: string, centred?: boolean) => void} select
 * @property {(ends: {from?: string, to?: string}) => void} ask
 * @property {() => boolean} editor
 * @property {(action: Record<string, any>) => Promise<{ok: boolean, body: any}>} act
 * @property {(filter: Record<string, string>) => void} narrow
 * @property {() => string} link
 * @property {import("../desk/signals.js").Signals} signals
 * @property {{label: string, testid: string, fits: (entity: any) => boolean, run: (id: string) => void, shown?: string}[]} offers what other panels offer for an object
 */

/** @typedef {import("./menu.js").Item} Item */

/** @param {Desk} desk */
export function start(desk) {
  const graph = byId("graph");
  const bind = () => desk.picture.cy.on("cxttap", (/** @type {any} */ event) => {
    const id = event.target === desk.picture.cy ? "" : event.target.id();
    const { left, top } = graph.getBoundingClientRect();
    open(desk, id, { x: left + event.renderedPosition.x, y: top + event.renderedPosition.y });
  });
  graph.addEventListener("contextmenu", (event) => event.preventDefault());
  graph.setAttribute("aria-haspopup", "menu");
  bind();
  desk.signals.on("picture", bind);
  addEventListener("keydown", (event) => {
    if (!(event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    const box = desk.picture.screenBox(desk.selected());
    const { left, top } = graph.getBoundingClientRect();
    open(desk, desk.selected(), box ? { x: left + box.x + Math.min(box.w, 60), y: top + box.y + Math.min(box.h, 30) } : { x: left + 40, y: top + 40 });
  });
}

/** @param {Desk} desk @param {string} id @param {{x: number, y: number}} at */
function open(desk, id, at) {
  const entity = desk.store.entities.get(id);
  const items = entity ? ofObject(desk, entity) : ofPicture(desk);
  openMenu(items, { label: entity ? `Actions for ${titleOf(entity)}` : "Actions for the picture", testid: "context", owner: byId("graph"), at,
    title: entity ? `${entity.kind} ${titleOf(entity)}` : "" });
}

/** @param {Desk} desk @param {any} entity @returns {Item[][]} */
function ofObject(desk, entity) {
  const [from, to] = [asSource(entity), asDestination(entity)];
  const look = [{ label: "Open", testid: "context-open", run: () => desk.select(entity.id) }];
  if (from) look.push({ label: "Trace from here…", testid: "context-trace-from", run: () => desk.ask({ from }) });
  if (to) look.push({ label: "Trace to here…", testid: "context-trace-to", run: () => desk.ask({ to }) });
  const offers = desk.offers.filter((one) => one.fits(entity)).map((one) => ({ label: one.label, testid: one.testid, shown: one.shown, run: () => one.run(entity.id) }));
  return [[...look, ...offers], changes(desk, entity), words(desk, entity)];
}

/** What an editor may do to it. @param {Desk} desk @param {any} entity @returns {Item[]} */
function changes(desk, entity) {
  const why = desk.editor() ? "" : "Sign in as an editor first";
  const may = (/** @type {() => void} */ run) => (why ? undefined : run);
  const acts = choices(entity).map((choice) => ({ label: choice.label + (choice.ask ? "…" : ""), testid: `context-${choice.action}`, danger: choice.danger, why,
    run: may(() => { perform(entity, choice, desk); }) }));
  const workload = entity.kind === "workload" ? entity : desk.store.entities.get(entity.workload);
  if (!workload || workload.type === "DaemonSet") return acts;
  const counts = [workload.replicas + 1, workload.replicas - 1].filter((replicas) => replicas >= 0);
  return [...acts, ...counts.map((replicas) => ({ label: `Scale ${workload.name} to ${replicas}`, testid: `context-scale-${replicas > workload.replicas ? "up" : "down"}`, why,
    run: may(() => { send({ action: "scale", target: workload.id, replicas }, desk); }) }))];
}

/** @param {Desk} desk @param {any} entity @returns {Item[]} */
function words(desk, entity) {
  const address = entity.ip || entity.clusterIP;
  const items = [{ label: "Copy its name", testid: "context-copy", run: () => { copy(entity.namespace ? `${entity.namespace}/${entity.name}` : entity.name, "Name"); } }];
  if (address) items.push({ label: "Copy its address", testid: "context-copy-address", run: () => { copy(address, "Address"); } });
  if (entity.namespace) items.push({ label: `Only namespace ${entity.namespace}`, testid: "context-namespace", run: () => desk.narrow({ namespace: entity.namespace }) });
  return items;
}

/** @param {Desk} desk @returns {Item[][]} */
function ofPicture(desk) {
  return [[
    { label: "Fit the picture", testid: "context-fit", shown: "0", run: () => desk.picture.camera.fit() },
    { label: "Trace a packet…", testid: "context-trace", shown: "t", run: () => desk.ask({}) },
    { label: "Copy link to what is shown", testid: "context-link", run: () => { copy(desk.link(), "Link"); } },
  ]];
}
