/** A node opened in its place: bridge, tunnel device, card, routes and rules, with what is on them. */
import { routeWords } from "../model/inside.js";
import { plate, roundRect, write } from "./text.js";

/** @typedef {CanvasRenderingContext2D} Ctx */
/** @typedef {import("../model/layout.js").Rect} Rect */
/** @typedef {import("../model/layout.js").Panel} Panel */
/** @typedef {import("../model/inside.js").NodeFacts} NodeFacts */
/** @typedef {import("./tokens.js").Tokens} Tokens */

const LINE = 9.7;

/** @param {Ctx} ctx @param {Panel} panel @param {NodeFacts} facts @param {Rect[]} free places where no pod stands @param {Tokens} tokens */
export function drawInsideNode(ctx, panel, facts, free, tokens) {
  drawBridge(ctx, panel.bridge, facts, tokens);
  drawCard(ctx, panel, facts, tokens);
  if (facts.overlay) drawOverlay(ctx, panel, facts.overlay, tokens);
  const [rules, routes] = [rulesLines(facts), routeLines(facts)];
  if (free.length > 1) {
    drawBox(ctx, free[1], "routes", cut(routes, 8), tokens);
    drawBox(ctx, free[0], "rules", rules, tokens);
  } else if (free.length) {
    const { x, y, w, h } = free[0];
    const lower = 31;
    drawBox(ctx, { x, y, w, h: h - lower - 3 }, "routes", cut(routes, 5), tokens);
    drawBox(ctx, { x, y: y + h - lower, w, h: lower }, "rules", rulesBrief(facts), tokens);
  }
}

/** @param {Ctx} ctx @param {Rect} bridge @param {NodeFacts} facts @param {Tokens} tokens */
function drawBridge(ctx, bridge, facts, tokens) {
  plate(ctx, bridge, 6, tokens.bus, tokens.border, 1.2);
  const [left, right] = [bridge.x + 10, bridge.x + bridge.w - 10];
  const small = { size: 8.4, least: 6.5, family: tokens.words, colour: tokens["text-third"] };
  write(ctx, facts.bridge ? `${facts.bridge.name} bridge` : "no bridge", left, bridge.y + 13, 150, { size: 11, weight: 650, family: tokens.words, colour: tokens["text-second"] });
  write(ctx, facts.bridge?.address ?? "", right, bridge.y + 13, 150, { size: 11, family: tokens.code, colour: tokens["text-second"], align: "right" });
  write(ctx, `${facts.veths} ${facts.veths === 1 ? "cable" : "cables"} of pods plugged in`, left, bridge.y + 25, 150, small);
  write(ctx, "the pods' gateway", right, bridge.y + 25, 150, { ...small, align: "right" });
}

/** The card and the cable to the node network. */
function drawCard(/** @type {Ctx} */ ctx, /** @type {Panel} */ { socket }, /** @type {NodeFacts} */ facts, /** @type {Tokens} */ tokens) {
  ctx.fillStyle = tokens.bus;
  ctx.fillRect(socket.x + 16, socket.y + socket.h - 2, socket.w - 32, 28);
  roundRect(ctx, socket.x, socket.y, socket.w, socket.h, 6);
  ctx.fill();
  ctx.strokeStyle = tokens.border;
  ctx.lineWidth = 1.2;
  ctx.stroke();
  const x = socket.x + socket.w + 8;
  write(ctx, facts.card.name, x, socket.y + 25, 60, { size: 10.5, weight: 650, family: tokens.code, colour: tokens["text-second"] });
  write(ctx, facts.card.address, x, socket.y + 37, 120, { size: 9.5, family: tokens.code, colour: tokens["text-third"] });
}

/** The device that puts packets into packets, before the card. */
function drawOverlay(/** @type {Ctx} */ ctx, /** @type {Panel} */ { box, socket }, /** @type {{name: string, address: string, words: string}} */ overlay, /** @type {Tokens} */ tokens) {
  const w = 132;
  const at = { x: socket.x - w - 14, y: box.y + box.h + 3, w, h: 27 };
  ctx.strokeStyle = tokens["kind-pod"];
  ctx.lineWidth = 1.2;
  ctx.beginPath();
  ctx.moveTo(at.x + at.w, at.y + 4);
  ctx.lineTo(socket.x, at.y + 4);
  ctx.stroke();
  roundRect(ctx, at.x, at.y, at.w, at.h, 5);
  ctx.fillStyle = tokens.bus;
  ctx.fill();
  ctx.stroke();
  const used = write(ctx, overlay.name, at.x + 7, at.y + 11.5, 70, { size: 9.5, least: 7, weight: 650, family: tokens.code, colour: tokens["text-pod"] });
  write(ctx, overlay.address, at.x + at.w - 7, at.y + 11.5, at.w - 20 - used, { size: 9, least: 6.5, family: tokens.code, colour: tokens["text-second"], align: "right" });
  write(ctx, overlay.words, at.x + 7, at.y + 22.5, at.w - 14, { size: 8.4, least: 6.5, family: tokens.words, colour: tokens["text-third"] });
}

/** @typedef {{text: string, code: boolean}} TextLine */

/** @param {NodeFacts} facts @returns {TextLine[]} */
function routeLines({ routes }) {
  return routes.length ? routes.map((route) => ({ text: routeWords(route), code: true })) : [{ text: "asking the node …", code: false }];
}

/** @param {TextLine[]} lines @param {number} most @returns {TextLine[]} as many as fit; the others are counted */
function cut(lines, most) {
  return lines.length <= most ? lines : [...lines.slice(0, most - 1), { text: `and ${lines.length - most + 1} more`, code: false }];
}

const count = (/** @type {number} */ n, /** @type {string} */ one, /** @type {string} */ many) => `${n} ${n === 1 ? one : many}`;

/** @param {NodeFacts} facts @returns {TextLine[]} */
function rulesBrief({ rules }) {
  const policies = rules.enforced ? count(rules.policies, "policy", "policies") : "policies not enforced";
  return [`kube-proxy: ${rules.mode}`, `${count(rules.services, "Service", "Services")}, ${policies}${rules.masquerade ? ", masquerade" : ""}`].map((text) => ({ text, code: false }));
}

/** @param {NodeFacts} facts @returns {TextLine[]} */
function rulesLines({ rules }) {
  return [
    `kube-proxy: ${rules.mode}`,
    `${count(rules.services, "Service", "Services")} rewritten here`,
    rules.enforced ? `${count(rules.policies, "policy guards", "policies guard")} pods here` : "policies are not enforced",
    rules.masquerade ? "masquerade on the way out" : "no masquerade",
  ].map((text) => ({ text, code: false }));
}

/** @param {Ctx} ctx @param {Rect} at @param {string} title @param {{text: string, code: boolean}[]} lines @param {Tokens} tokens */
function drawBox(ctx, at, title, lines, tokens) {
  plate(ctx, at, 7, tokens.panel, tokens["text-third"], 0.9);
  const used = write(ctx, title, at.x + at.w - 8, at.y + 12.5, 60, { size: 10, weight: 650, family: tokens.words, colour: tokens["text-third"], align: "right" });
  lines.forEach(({ text, code }, i) => {
    write(ctx, text, at.x + 8, at.y + 11.5 + i * LINE, at.w - 14 - (i ? 0 : used + 8), { size: 8.6, least: 5.4, family: code ? tokens.code : tokens.words, colour: tokens["text-second"] });
  });
}
