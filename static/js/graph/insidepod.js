/** A pod opened in its place: containers that share one network namespace, its card and the cable to the node's bridge. */
import { podState } from "../model/podstate.js";
import { podName } from "./cards.js";
import { shield } from "./icons.js";
import { roundRect, write } from "./text.js";

/** @typedef {CanvasRenderingContext2D} Ctx */
/** @typedef {import("../model/layout.js").Box} Box */
/** @typedef {import("../model/inside.js").PodFacts} PodFacts */
/** @typedef {import("./tokens.js").Tokens} Tokens */

/** Containers drawn side by side; the others are counted. */
const CHIPS = 3;
/** Width of the network card at the edge, and of what sticks out of the pod. */
const PORT = 20;
const PLUG = 6;

/** @param {Ctx} ctx @param {Box} box @param {any} pod @param {PodFacts} facts @param {boolean} right whether its cable leaves on the right @param {Tokens} tokens */
export function drawInsidePod(ctx, box, pod, facts, right, tokens) {
  const state = podState(pod);
  const quiet = pod.terminating || !pod.node;
  roundRect(ctx, box.x, box.y, box.w, box.h, 9);
  ctx.fillStyle = quiet ? tokens.panel : tokens.card;
  ctx.fill();
  ctx.strokeStyle = state.tone ? tokens[state.tone] : tokens.border;
  ctx.lineWidth = state.tone ? 1.6 : 1.1;
  ctx.setLineDash(quiet || state.tone === "pending" ? [5, 4] : []);
  ctx.stroke();
  ctx.setLineDash([]);
  heading(ctx, box, pod, state, tokens);
  const inner = { x: box.x + 6 + (right ? 0 : PORT), y: box.y + 20, w: box.w - 12 - PORT, h: box.h - 25 };
  drawNamespace(ctx, inner, facts, tokens);
  if (pod.node && !facts.shared) drawCable(ctx, box, facts, right, tokens);
}

/** @param {Ctx} ctx @param {Box} box @param {any} pod @param {{word: string, tone: string}} state @param {Tokens} tokens */
function heading(ctx, box, pod, state, tokens) {
  const [name, unique] = podName(pod);
  const walled = pod.isolated?.ingress || pod.isolated?.egress;
  if (walled) {
    ctx.save();
    ctx.translate(box.x + box.w - 11, box.y + 10.5);
    ctx.scale(0.62, 0.62);
    shield(ctx, 0, 0, tokens["text-second"]);
    ctx.restore();
  }
  const room = box.w - 16 - (walled ? 14 : 0);
  const word = state.word || unique;
  const used = write(ctx, name, box.x + 8, box.y + 14.5, room * 0.7, { size: 11.5, least: 8, weight: 650, family: tokens.words, colour: tokens.text });
  write(ctx, word, box.x + 8 + room, box.y + 14.5, room - used - 6, { size: 8.5, least: 6.5, family: state.word ? tokens.words : tokens.code, align: "right",
    weight: state.word ? 650 : 400, colour: state.tone ? tokens[state.tone] : tokens["text-third"] });
}

/** One namespace: one address, one set of ports, one loopback that joins the containers. */
function drawNamespace(/** @type {Ctx} */ ctx, /** @type {import("../model/layout.js").Rect} */ at, /** @type {PodFacts} */ facts, /** @type {Tokens} */ tokens) {
  roundRect(ctx, at.x, at.y, at.w, at.h, 5);
  ctx.fillStyle = tokens.panel;
  ctx.fill();
  ctx.strokeStyle = tokens["text-third"];
  ctx.lineWidth = 0.8;
  ctx.setLineDash([3, 2.5]);
  ctx.stroke();
  ctx.setLineDash([]);
  const shown = facts.containers.slice(0, facts.containers.length > CHIPS ? CHIPS - 1 : CHIPS);
  const cells = shown.length + (facts.containers.length > shown.length ? 1 : 0);
  const gap = 5;
  const w = (at.w - 10 - gap * (cells - 1)) / Math.max(1, cells);
  const line = at.y + 37;
  ctx.strokeStyle = tokens["kind-local"];
  ctx.lineWidth = 1.1;
  ctx.beginPath();
  ctx.moveTo(at.x + 5 + w / 2, line);
  ctx.lineTo(at.x + at.w - 5 - w / 2, line);
  for (let i = 0; i < cells; i += 1) {
    const middle = at.x + 5 + i * (w + gap) + w / 2;
    ctx.moveTo(middle, at.y + 28);
    ctx.lineTo(middle, line);
  }
  ctx.stroke();
  shown.forEach((container, i) => { chip(ctx, { x: at.x + 5 + i * (w + gap), y: at.y + 4, w, h: 25 }, container, tokens); });
  if (cells > shown.length) more(ctx, { x: at.x + 5 + shown.length * (w + gap), y: at.y + 4, w, h: 25 }, facts.containers.length - shown.length, tokens);
  const plain = { size: 7.8, least: 5.5, family: tokens.words, colour: tokens["text-third"] };
  const local = facts.elsewhere.length ? `lo 127.0.0.1, also ${facts.elsewhere.join(", ")}` : cells > 1 ? "lo 127.0.0.1 joins them" : "lo 127.0.0.1";
  write(ctx, local, at.x + at.w / 2, line + 9, at.w - 10, { ...plain, align: "center" });
  const address = facts.shared ? `the node's network: ${facts.ip}` : facts.ip || "no address yet";
  const used = write(ctx, address, at.x + 5, at.y + at.h - 5, at.w - 10, { size: 10, least: 7, weight: 600, family: tokens.code, colour: tokens.text });
  write(ctx, cells > 1 ? "one IP, one port space" : "network namespace", at.x + at.w - 5, at.y + at.h - 5, at.w - 16 - used, { ...plain, least: 6.4, align: "right" });
}

/** @param {Ctx} ctx @param {import("../model/layout.js").Rect} at @param {import("../model/inside.js").ContainerFacts} container @param {Tokens} tokens */
function chip(ctx, at, container, tokens) {
  roundRect(ctx, at.x, at.y, at.w, at.h, 3.5);
  ctx.fillStyle = tokens.card;
  ctx.fill();
  ctx.strokeStyle = container.ready ? tokens.stripe : tokens.pending;
  ctx.lineWidth = 1;
  ctx.setLineDash(container.ready ? [] : [3, 2.5]);
  ctx.stroke();
  ctx.setLineDash([]);
  write(ctx, container.name, at.x + 5, at.y + 10.5, at.w - 9, { size: 8.8, least: 6, weight: 600, family: tokens.words, colour: tokens.text });
  const ports = container.ports.length ? container.ports.map((port) => `:${port}`).join(" ") : container.ready ? "no declared port" : "not ready";
  write(ctx, ports, at.x + 5, at.y + 20.5, at.w - 9, { size: 8.4, least: 5.8, family: container.ports.length ? tokens.code : tokens.words,
    colour: container.ready ? tokens["text-second"] : tokens.pending });
}

/** @param {Ctx} ctx @param {import("../model/layout.js").Rect} at @param {number} count @param {Tokens} tokens */
function more(ctx, at, count, tokens) {
  roundRect(ctx, at.x, at.y, at.w, at.h, 3.5);
  ctx.strokeStyle = tokens["text-third"];
  ctx.lineWidth = 0.8;
  ctx.stroke();
  write(ctx, `and ${count} more`, at.x + at.w / 2, at.y + 15.5, at.w - 4, { size: 8.4, least: 6, family: tokens.words, colour: tokens["text-second"], align: "center" });
}

/** eth0 inside, and the end of the pair on the node, plugged into the bridge: both are one cable. */
function drawCable(/** @type {Ctx} */ ctx, /** @type {Box} */ box, /** @type {PodFacts} */ facts, /** @type {boolean} */ right, /** @type {Tokens} */ tokens) {
  const x = right ? box.x + box.w - PORT - 2 : box.x + 2;
  roundRect(ctx, x, box.y + 20, PORT, box.h - 25, 4);
  ctx.fillStyle = tokens.bus;
  ctx.fill();
  ctx.strokeStyle = tokens["text-third"];
  ctx.lineWidth = 1;
  ctx.stroke();
  const plug = right ? box.x + box.w : box.x - PLUG;
  roundRect(ctx, plug, box.y + 20, PLUG, box.h - 25, 2);
  ctx.fill();
  ctx.stroke();
  ctx.save();
  ctx.translate(x + PORT / 2, box.y + 20 + (box.h - 25) / 2);
  ctx.rotate(right ? Math.PI / 2 : -Math.PI / 2);
  const type = { size: 8, least: 5, family: tokens.code, align: /** @type {CanvasTextAlign} */ ("center") };
  write(ctx, facts.device, 0, -1, box.h - 29, { ...type, weight: 700, colour: tokens.text });
  write(ctx, facts.veth || "veth …", 0, 7.5, box.h - 29, { ...type, size: 7, colour: tokens["text-second"] });
  ctx.restore();
}
