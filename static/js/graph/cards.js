/** Pods, nodes, Services and outside machines: one function draws one thing at its box. */
import { podState } from "../model/podstate.js";
import { fork, globe, rack, shield } from "./icons.js";
import { plate, roundRect, write } from "./text.js";

/** @typedef {CanvasRenderingContext2D} Ctx */
/** @typedef {import("../model/layout.js").Box} Box */
/** @typedef {import("../model/layout.js").Panel} Panel */
/** @typedef {import("./tokens.js").Tokens} Tokens */

/** Sizes of words where they are few and large: far away, and for a projector. */
export const FAR = { name: 28, half: 23, address: 24, plain: 23 };
/** Units a pod's hash needs; where there is less it is left out. */
const HASH = 44;
/** How far each layer of a shadow reaches, and how dark it is. */
const SHADOW = [[9, 0.12], [6, 0.18], [3, 0.3]];

/**
 * A pod's name in two parts: what it belongs to, and what makes it unique.
 * @param {any} pod @returns {[string, string]}
 */
export function podName(pod) {
  const owner = String(pod.workload ?? "").split("/").pop() ?? "";
  if (owner && pod.name.startsWith(`${owner}-`)) return [owner, pod.name.slice(owner.length + 1)];
  return [pod.name, ""];
}

/** @param {Ctx} ctx @param {Box} box @param {any} pod @param {Tokens} tokens @param {number} far fewer and larger words, and how small they may get; 0: the usual */
export function drawPod(ctx, box, pod, tokens, far) {
  const state = podState(pod);
  const quiet = pod.terminating || !pod.node;
  const stripe = pod.role === "ingress" ? "kind-ingress" : pod.role === "dns" ? "stripe-quiet" : "stripe";
  roundRect(ctx, box.x, box.y, box.w, box.h, 9);
  ctx.fillStyle = quiet ? tokens.panel : tokens.card;
  ctx.fill();
  ctx.save();
  ctx.clip();
  ctx.fillStyle = tokens[state.tone === "text-blocked" ? "kind-blocked" : stripe];
  ctx.fillRect(box.x, box.y, 6, box.h);
  ctx.restore();
  ctx.strokeStyle = state.tone ? tokens[state.tone] : tokens.border;
  ctx.lineWidth = state.tone ? 1.8 : 1.4;
  ctx.setLineDash(quiet || state.tone === "pending" ? [6, 5] : []);
  ctx.stroke();
  ctx.setLineDash([]);
  if (far) farWords(ctx, box, pod, tokens, state, far);
  else podWords(ctx, box, pod, tokens, state);
}

/** Seen from far away a card has room for a name and what is wrong, or the address. */
function farWords(/** @type {Ctx} */ ctx, /** @type {Box} */ box, /** @type {any} */ pod, /** @type {Tokens} */ tokens, /** @type {{word: string, tone: string}} */ state,
  /** @type {number} */ least) {
  const left = box.x + 16;
  const walled = pod.isolated?.ingress || pod.isolated?.egress;
  if (walled) shield(ctx, box.x + box.w - 16, box.y + 20, tokens["text-second"]);
  const [name] = podName(pod);
  const room = box.w - (walled ? 44 : 24);
  const style = { weight: 600, family: tokens.words, colour: tokens.text };
  const halves = inTwo(ctx, name, room, tokens);
  for (const [i, half] of halves.entries()) write(ctx, half, left, box.y + (halves.length > 1 ? 26 + 23 * i : 38), room, { size: halves.length > 1 ? FAR.half : FAR.name, least, ...style });
  write(ctx, state.word || pod.ip, left, box.y + (halves.length > 1 ? 76 : 70), box.w - 24, { size: FAR.address, least, family: state.word ? tokens.words : tokens.code,
    colour: state.tone ? tokens[state.tone] : tokens["text-second"] });
}

/** A name that would have to become small stands in two lines, parted at a hyphen or dot near its middle. @param {Ctx} ctx @param {string} name @param {number} room @param {Tokens} tokens @returns {string[]} */
function inTwo(ctx, name, room, tokens) {
  ctx.font = `600 ${FAR.half}px ${tokens.words}`;
  if (ctx.measureText(name).width <= room) return [name];
  const middle = name.length / 2;
  const cut = [...name.matchAll(/[-.]/g)].map((one) => one.index + 1).sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle))[0];
  return cut ? [name.slice(0, cut), name.slice(cut)] : [name];
}

/** @param {Ctx} ctx @param {Box} box @param {any} pod @param {Tokens} tokens @param {{word: string, tone: string}} state */
function podWords(ctx, box, pod, tokens, state) {
  const [name, unique] = podName(pod);
  const walled = pod.isolated?.ingress || pod.isolated?.egress;
  const left = box.x + 18;
  const dim = pod.terminating || !pod.node;
  write(ctx, name, left, box.y + 27, box.w - 26 - (walled ? 22 : 0),
    { size: 20, least: 16, weight: 600, family: tokens.words, colour: dim ? tokens["text-second"] : tokens.text });
  write(ctx, pod.ip || "no address yet", left, box.y + 50, box.w - 30,
    { size: 17, least: 16, family: tokens.code, colour: tokens["text-second"] });
  const end = containers(ctx, left, box.y + 64, pod, tokens);
  const word = state.word || unique.split("-").pop() || "";
  const room = box.x + box.w - 16 - end;
  if (state.word || room >= HASH) write(ctx, word, box.x + box.w - 11, box.y + 77, room, {
    size: 16, least: 14, family: state.word ? tokens.words : tokens.code, weight: state.word ? 600 : 400, align: "right",
    colour: state.tone ? tokens[state.tone] : tokens["text-third"] });
  if (walled) shield(ctx, box.x + box.w - 19, box.y + 21, tokens["text-second"]);
}

/** Containers share one address: squares joined by a line called localhost. */
function containers(/** @type {Ctx} */ ctx, /** @type {number} */ x, /** @type {number} */ y, /** @type {any} */ pod, /** @type {Tokens} */ tokens) {
  const all = pod.containers ?? [];
  const shown = all.slice(0, 4);
  shown.forEach((/** @type {any} */ container, /** @type {number} */ i) => {
    const left = x + i * 20;
    ctx.fillStyle = tokens[pod.role === "ingress" ? "kind-ingress" : "stripe"];
    if (i) ctx.fillRect(left - 6, y + 6, 6, 2);
    roundRect(ctx, left, y, 14, 14, 4);
    ctx.strokeStyle = tokens.pending;
    ctx.lineWidth = 1.6;
    if (container.ready) ctx.fill();
    else ctx.stroke();
  });
  const end = x + shown.length * 20 - 6;
  if (all.length < 2) return end;
  return end + 5 + write(ctx, "localhost", end + 5, y + 12.5, 72, { size: 15.5, least: 14, family: tokens.words, colour: tokens["text-third"] });
}

/** @param {Ctx} ctx @param {Panel} panel @param {any} node @param {Tokens} tokens @param {number} far @param {() => void} [plumbing] draws bridge and card its own way */
export function drawNode(ctx, panel, node, tokens, far, plumbing = () => drawPlumbing(ctx, panel, node, tokens, far)) {
  const { box } = panel;
  softly(ctx, box, tokens);
  roundRect(ctx, box.x, box.y, box.w, box.h, 12);
  ctx.fillStyle = tokens.panel;
  ctx.fill();
  ctx.save();
  ctx.clip();
  ctx.fillStyle = tokens["panel-head"];
  ctx.fillRect(box.x, box.y, box.w, 46);
  ctx.restore();
  ctx.strokeStyle = node.ready ? tokens.border : tokens["kind-blocked"];
  ctx.lineWidth = node.ready ? 1.6 : 2.5;
  ctx.stroke();
  rack(ctx, box.x + 27, box.y + 24, node.ready ? tokens["stripe-quiet"] : tokens["kind-blocked"]);
  const state = !node.ready ? "NotReady" : !node.schedulable ? "cordoned" : "";
  const ipWidth = write(ctx, node.ip, box.x + box.w - 16, box.y + 31, 230, { size: far ? FAR.address : 18, family: tokens.code, colour: tokens["text-second"], align: "right" });
  const width = write(ctx, node.name, box.x + 48, box.y + 31, box.w - 80 - ipWidth - (state ? 96 : 0),
    { size: far ? 30 : 22, least: 15, weight: 650, family: tokens.words, colour: tokens.text });
  if (state) pill(ctx, box.x + 60 + width, box.y + 13, state, tokens, node.ready ? "pending" : "text-blocked");
  plumbing();
}

/** A shadow of a few plain layers: a blurred one costs as much as all the rest of the scene. @param {Ctx} ctx @param {Box} box @param {Tokens} tokens */
function softly(ctx, box, tokens) {
  const alpha = ctx.globalAlpha;
  ctx.fillStyle = tokens.shadow;
  for (const [grown, share] of SHADOW) {
    ctx.globalAlpha = alpha * share;
    roundRect(ctx, box.x - grown, box.y - grown + 2, box.w + 2 * grown, box.h + 2 * grown, 12 + grown);
    ctx.fill();
  }
  ctx.globalAlpha = alpha;
}

/** @param {Ctx} ctx @param {number} x @param {number} y the upper edge @param {string} text @param {Tokens} tokens @param {string} tone @param {number} [size] of the words @returns {number} how wide it is */
export function pill(ctx, x, y, text, tokens, tone, size = 15) {
  const high = pillHeight(size);
  const width = pillWidth(ctx, text, tokens, size);
  roundRect(ctx, x, y, width, high, high / 2);
  ctx.fillStyle = tokens.page;
  ctx.fill();
  ctx.strokeStyle = tokens[tone];
  ctx.lineWidth = 1.4;
  ctx.stroke();
  write(ctx, text, x + size * 0.7, y + high / 2 + size * 0.36, width, { size, weight: 600, family: tokens.words, colour: tokens[tone] });
  return width;
}

/** @param {number} size of its words @returns {number} */
export const pillHeight = (size) => Math.round(size * 1.6);

/** @param {Ctx} ctx @param {string} text @param {Tokens} tokens @param {number} size @returns {number} */
export function pillWidth(ctx, text, tokens, size) {
  ctx.font = `600 ${size}px ${tokens.words}`;
  return ctx.measureText(text).width + size * 1.4;
}

/** The bridge every pod of the node hangs on, and the socket to the wire. */
function drawPlumbing(/** @type {Ctx} */ ctx, /** @type {Panel} */ panel, /** @type {any} */ node, /** @type {Tokens} */ tokens, /** @type {number} */ far) {
  const size = far ? FAR.plain : 16;
  const { bridge, socket } = panel;
  plate(ctx, bridge, 6, tokens.bus, tokens.border, 1.2);
  write(ctx, "cni0 bridge", bridge.x + 12, bridge.y + 15 + size * 0.36, 170, { size, weight: 600, family: tokens.words, colour: tokens["text-second"] });
  write(ctx, node.bridge ?? "", bridge.x + bridge.w - 12, bridge.y + 15 + size * 0.36, 190,
    { size, family: tokens.code, colour: tokens["text-second"], align: "right" });
  ctx.fillStyle = tokens.bus;
  ctx.fillRect(socket.x + 16, socket.y + socket.h - 2, socket.w - 32, 28);
  roundRect(ctx, socket.x, socket.y, socket.w, socket.h, 6);
  ctx.fill();
  ctx.strokeStyle = tokens.border;
  ctx.stroke();
  write(ctx, "eth0", socket.x + socket.w + 10, socket.y + 31, 60, { size, family: tokens.code, colour: tokens["text-third"] });
}

/** @param {any} entity @returns {boolean} whether requests from outside are routed by its rules */
const isDoor = (entity) => entity.kind === "ingress" || entity.kind === "gateway";

/** @param {any} service @returns {string} what a client dials */
export function serviceAddress(service) {
  if (isDoor(service)) return service.rules?.[0]?.host || service.address || "no address";
  if (service.type === "ExternalName") return service.externalName || "ExternalName";
  const port = service.ports?.[0]?.port;
  if (service.headless) return `headless${port ? `:${port}` : ""}`;
  const more = (service.ports?.length ?? 0) > 1 ? "…" : "";
  return `${service.clusterIP || "no address"}${port ? `:${port}` : ""}${more}`;
}

/** Without the port where the whole would have to become small. */
function shortAddress(/** @type {Ctx} */ ctx, /** @type {any} */ service, /** @type {number} */ room, /** @type {Tokens} */ tokens) {
  const whole = serviceAddress(service);
  ctx.font = `400 ${FAR.plain * 0.9}px ${tokens.code}`;
  return ctx.measureText(whole).width <= room ? whole : whole.replace(/:\d+…?$/, "");
}

/** A Service is not a machine: its border is dashed, and nobody owns its address. */
export function drawService(/** @type {Ctx} */ ctx, /** @type {Box} */ box, /** @type {any} */ service, /** @type {Tokens} */ tokens, /** @type {number} */ far) {
  const ingress = isDoor(service);
  const dead = drawHexagon(ctx, box, service, tokens);
  const x = box.x + box.w / 2;
  write(ctx, service.name, x, box.y + 26, box.w - 20, { size: far ? 26 : 20, least: far || 16, weight: 600, family: tokens.words, colour: tokens.text, align: "center" });
  const second = dead ? (far ? "none ready" : "no ready endpoint") : far ? shortAddress(ctx, service, box.w - 30, tokens) : serviceAddress(service);
  write(ctx, second, x, box.y + (far ? 50 : 48), box.w - 30,
    { size: far ? FAR.plain : 17, least: far || 16, family: dead || (far && ingress) ? tokens.words : tokens.code, colour: dead ? tokens["text-blocked"] : tokens["text-second"], align: "center" });
}

/** @param {any} service @returns {boolean} whether it selects pods and none of them is ready */
function isDead(service) {
  return !isDoor(service) && service.type !== "ExternalName" && Object.keys(service.selector ?? {}).length > 0
    && !(service.endpoints ?? []).some((/** @type {any} */ e) => e.ready);
}

/** The shape of a Service, an Ingress or a Gateway. @param {Ctx} ctx @param {Box} box @param {any} service @param {Tokens} tokens @returns {boolean} whether nobody answers behind it */
export function drawHexagon(ctx, box, service, tokens) {
  const [door, dead] = [isDoor(service), isDead(service)];
  hexagon(ctx, box, door ? 4 : 13);
  ctx.fillStyle = tokens.panel;
  ctx.fill();
  ctx.strokeStyle = tokens[dead ? "kind-blocked" : door ? "kind-ingress" : "kind-service"];
  ctx.lineWidth = 1.8;
  ctx.setLineDash(door ? [] : [7, 5]);
  ctx.stroke();
  ctx.setLineDash([]);
  return dead;
}

/** @param {Ctx} ctx @param {Box} box @param {number} cut */
function hexagon(ctx, box, cut) {
  const { x, y, w, h } = box;
  ctx.beginPath();
  ctx.moveTo(x + cut, y);
  ctx.lineTo(x + w - cut, y);
  ctx.lineTo(x + w, y + h / 2);
  ctx.lineTo(x + w - cut, y + h);
  ctx.lineTo(x + cut, y + h);
  ctx.lineTo(x, y + h / 2);
  ctx.closePath();
}

/** @param {Ctx} ctx @param {Box} box @param {any} entity @param {Tokens} tokens @param {boolean} inside whether it stands on the Internet's side @param {number} [far] fewer and larger words */
export function drawOutside(ctx, box, entity, tokens, inside, far = 0) {
  const colour = tokens[inside ? "kind-ingress" : "kind-egress"];
  plate(ctx, box, 11, tokens.panel, colour, 1.6);
  if (!far) (entity.kind === "loadbalancer" ? fork : globe)(ctx, box.x + 30, box.y + box.h / 2, colour);
  const title = entity.kind === "loadbalancer" ? "Load balancer" : outsideName(entity, inside);
  const left = box.x + (far ? 16 : 56);
  const room = box.x + box.w - left - (far ? 12 : 8);
  const lines = inTwo(ctx, title, room, tokens);
  const two = lines.length > 1;
  for (const [i, line] of lines.entries()) write(ctx, line, left, box.y + (two ? 25 + 22 * i : 34), room, { size: far ? FAR.half : 20, least: far || 16, weight: 600, family: tokens.words, colour: tokens.text });
  write(ctx, entity.ip || "any address", left, box.y + (two ? 71 : far ? 64 : 60), room, { size: far ? FAR.address : 17, least: far || 16, family: tokens.code, colour: tokens["text-second"] });
}

/** @param {any} entity @param {boolean} client */
function outsideName(entity, client) {
  const name = entity.label || entity.name || "Internet";
  return name === entity.ip ? (client ? "Client" : "Server") : name;
}
