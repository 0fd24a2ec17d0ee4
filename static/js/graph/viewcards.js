/** Cards of the views by service and by namespace: what they are, how many are well, and where they were put. */
import { perSecond } from "../model/shares.js";
import { drawHexagon, drawOutside, pill, serviceAddress } from "./cards.js";
import { rack } from "./icons.js";
import { plate, roundRect, write } from "./text.js";

/** @typedef {CanvasRenderingContext2D} Ctx */
/** @typedef {import("../model/layout.js").Box} Box */
/** @typedef {import("./tokens.js").Tokens} Tokens */
/** @typedef {import("../model/census.js").Count} Count */

/** Below this zoom there is room for few and larger words. */
export const FAR = 0.72;
const OUTSIDE = ["external", "loadbalancer"];

/**
 * @param {Ctx} ctx @param {import("../model/layout.js").Rect} view what is seen @param {number} zoom @param {any} scene @param {Tokens} tokens
 * @param {(box: Box, far: boolean) => void} card draws what is special to the view @returns {number} where the title ends
 */
export function paintCards(ctx, view, zoom, scene, tokens, card) {
  const { layout } = scene;
  const title = drawFrame(ctx, layout, zoom < FAR, tokens);
  if (layout.tray) drawTray(ctx, layout.tray, layout.trayTitle ?? "NO CALLS", tokens);
  for (const head of layout.heads) write(ctx, head.text, head.x, head.y, 200, { size: zoom < FAR ? 24 : 18, weight: 650, family: tokens.words, colour: tokens["text-second"], align: "center" });
  for (const box of layout.boxes.values()) {
    if (box.x > view.x + view.w || box.x + box.w < view.x || box.y > view.y + view.h || box.y + box.h < view.y) continue;
    ctx.globalAlpha = scene.dimmed(box.id) ? 0.28 : 1;
    const entity = scene.entities.get(box.id);
    if (OUTSIDE.includes(box.kind)) drawOutside(ctx, box, entity ?? {}, tokens, box.x < layout.frame.x + layout.frame.w / 2, zoom < FAR ? 22 : 0);
    else card(box, zoom < FAR);
    if (layout.pinned.has(box.id)) pin(ctx, box.x + box.w - 5, box.y + 2, tokens);
  }
  ctx.globalAlpha = 1;
  return title;
}

/** @param {Ctx} ctx @param {any} layout @param {boolean} far @param {Tokens} tokens */
function drawFrame(ctx, { frame, title, note }, far, tokens) {
  plate(ctx, frame, 18, tokens.cluster, tokens.border, 1.8);
  const width = write(ctx, title, frame.x + 22, frame.y + 38, 320, { size: far ? 25 : 19, weight: 650, family: tokens.words, colour: tokens["text-second"] });
  const told = note ? write(ctx, note, frame.x + 36 + width, frame.y + 38, frame.w - width - 60, { size: far ? 24 : 18, family: tokens.words, colour: tokens["text-third"] }) : 0;
  return frame.x + 36 + width + told;
}

/** @param {Ctx} ctx @param {import("../model/layout.js").Rect} tray @param {string} title @param {Tokens} tokens */
function drawTray(ctx, tray, title, tokens) {
  roundRect(ctx, tray.x, tray.y, tray.w, tray.h, 12);
  ctx.strokeStyle = tokens.border;
  ctx.lineWidth = 1.3;
  ctx.setLineDash([6, 5]);
  ctx.stroke();
  ctx.setLineDash([]);
  write(ctx, title, tray.x + 24, tray.y + 32, tray.w - 48, { size: 16, weight: 650, family: tokens.words, colour: tokens["text-third"] });
}

/** A person put it here. @param {Ctx} ctx @param {number} x @param {number} y @param {Tokens} tokens */
export function pin(ctx, x, y, tokens) {
  ctx.save();
  ctx.translate(x, y);
  ctx.rotate(Math.PI / 5);
  ctx.fillStyle = tokens.focus;
  ctx.beginPath();
  ctx.roundRect(-6, -10, 12, 8, 2.5);
  ctx.rect(-2.5, -3, 5, 5);
  ctx.roundRect(-7, 1, 14, 3.5, 1.5);
  ctx.rect(-1, 4, 2, 8);
  ctx.fill();
  ctx.restore();
}

/** @param {Count} count @returns {""|"pending"|"text-blocked"} */
function toneOf({ ready, wanted, failing }) {
  if (failing) return "text-blocked";
  return ready < wanted ? "pending" : "";
}

/** @param {Ctx} ctx @param {Box} box @param {any} scene @param {Tokens} tokens @param {boolean} far @param {any} graph */
export function drawCallCard(ctx, box, scene, tokens, far, graph) {
  const entity = scene.entities.get(box.id) ?? {};
  if (box.kind === "workload" || box.kind === "pod") return drawWorkload(ctx, box, entity, graph.census.workloads.get(box.id) ?? { pods: 0, ready: 0, pending: 0, failing: 0, wanted: 0 }, tokens, far);
  return drawDoor(ctx, box, entity, tokens, far);
}

/** @param {Ctx} ctx @param {Box} box @param {any} entity @param {Count} count @param {Tokens} tokens @param {boolean} far */
export function drawWorkload(ctx, box, entity, count, tokens, far) {
  const tone = toneOf(count);
  roundRect(ctx, box.x, box.y, box.w, box.h, 9);
  ctx.fillStyle = count.pods || count.wanted ? tokens.card : tokens.panel;
  ctx.fill();
  ctx.save();
  ctx.clip();
  ctx.fillStyle = tokens[tone === "text-blocked" ? "kind-blocked" : "stripe"];
  ctx.fillRect(box.x, box.y, 6, box.h);
  ctx.restore();
  ctx.strokeStyle = tone ? tokens[tone] : tokens.border;
  ctx.lineWidth = tone ? 1.8 : 1.4;
  ctx.setLineDash(count.pods ? [] : [6, 5]);
  ctx.stroke();
  ctx.setLineDash([]);
  const told = write(ctx, `${count.ready}/${count.wanted}`, box.x + box.w - 12, box.y + (far ? 34 : 28), 80,
    { size: far ? 24 : 18, weight: 600, family: tokens.code, colour: tone ? tokens[tone] : tokens["text-second"], align: "right" });
  write(ctx, entity.name ?? "", box.x + 24, box.y + (far ? 34 : 28), box.w - 44 - told, { size: far ? 27 : 19, least: far ? 15 : 12, weight: 600, family: tokens.words, colour: tokens.text });
  const what = count.failing ? `${count.failing} failing` : count.pending ? `${count.pending} pending` : `${entity.type ?? "Pod"} · ${entity.namespace ?? ""}`;
  write(ctx, what, box.x + 24, box.y + (far ? 59 : 50), box.w - 36, { size: far ? 20 : 16, least: far ? 14 : 13, family: tokens.words, weight: tone ? 600 : 400, colour: tone ? tokens[tone] : tokens["text-third"] });
  squares(ctx, box.x + 26, box.y + box.h - 19, box.w - 40, count, tokens);
}

/** A pod is a square: full when ready, hollow when it is not yet, crossed when it fails. Many are a number. */
function squares(/** @type {Ctx} */ ctx, /** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ width, /** @type {Count} */ count, /** @type {Tokens} */ tokens) {
  const all = [...Array(count.failing).fill("failing"), ...Array(count.pending).fill("pending"), ...Array(count.ready).fill("ready")];
  const room = Math.floor(width / 15);
  const shown = all.length > room ? all.slice(0, room - 3) : all;
  shown.forEach((state, i) => {
    const left = x + i * 15;
    roundRect(ctx, left, y, 10, 10, 2.5);
    ctx.fillStyle = tokens[state === "failing" ? "kind-blocked" : "stripe"];
    ctx.strokeStyle = tokens[state === "pending" ? "pending" : "kind-blocked"];
    ctx.lineWidth = 1.5;
    if (state === "pending") ctx.stroke();
    else ctx.fill();
    if (state !== "failing") return;
    ctx.strokeStyle = tokens["on-strong"];
    ctx.beginPath();
    ctx.moveTo(left + 3, y + 3);
    ctx.lineTo(left + 7, y + 7);
    ctx.moveTo(left + 7, y + 3);
    ctx.lineTo(left + 3, y + 7);
    ctx.stroke();
  });
  if (all.length > shown.length) write(ctx, `+${all.length - shown.length}`, x + shown.length * 15 + 2, y + 10, 44, { size: 14, least: 10, family: tokens.code, colour: tokens["text-third"] });
}

/** A Service, an Ingress or a Gateway: packets pass between its name and its address. */
function drawDoor(/** @type {Ctx} */ ctx, /** @type {Box} */ box, /** @type {any} */ entity, /** @type {Tokens} */ tokens, /** @type {boolean} */ far) {
  const dead = drawHexagon(ctx, box, entity, tokens);
  const { x, y, w } = box;
  const middle = x + w / 2;
  write(ctx, entity.name ?? "", middle, y + 24, w - 34, { size: far ? 22 : 18, least: far ? 15 : 12, weight: 600, family: tokens.words, colour: tokens.text, align: "center" });
  const ports = entity.kind === "service" && entity.type !== "ExternalName" ? (entity.ports ?? []).map((/** @type {any} */ p) => p.port).join(" ") : "";
  const second = dead ? "no ready endpoint" : ports ? `${entity.headless ? "headless" : entity.type} :${ports}` : serviceAddress(entity);
  write(ctx, second, middle, y + 51, w - 40, { size: far ? 20 : 16, least: 11, family: tokens.code, colour: dead ? tokens["text-blocked"] : tokens["text-second"], align: "center" });
}

/** @param {Ctx} ctx @param {Box} box @param {any} scene @param {Tokens} tokens @param {boolean} far @param {any} graph */
export function drawSpaceCard(ctx, box, scene, tokens, far, graph) {
  const panel = graph.panels.get(box.id);
  if (!panel) return drawCallCard(ctx, box, scene, tokens, far, graph);
  const { name, count } = panel;
  const tone = count.failing ? "text-blocked" : count.pending ? "pending" : "";
  ctx.shadowColor = tokens.shadow;
  ctx.shadowBlur = 16;
  roundRect(ctx, box.x, box.y, box.w, box.h, 12);
  ctx.fillStyle = tokens.panel;
  ctx.fill();
  ctx.shadowBlur = 0;
  ctx.save();
  ctx.clip();
  ctx.fillStyle = tokens["panel-head"];
  ctx.fillRect(box.x, box.y, box.w, 46);
  ctx.restore();
  ctx.strokeStyle = tone ? tokens[tone] : tokens.border;
  ctx.lineWidth = tone ? 2 : 1.6;
  ctx.stroke();
  rack(ctx, box.x + 27, box.y + 24, tokens["stripe-quiet"]);
  write(ctx, panel.open ? "−" : "+", box.x + box.w - 18, box.y + 33, 30, { size: 26, weight: 600, family: tokens.words, colour: tokens["text-second"], align: "center" });
  write(ctx, name, box.x + 48, box.y + 32, box.w - 90, { size: far ? 30 : 22, least: 15, weight: 650, family: tokens.words, colour: tokens.text });
  spaceCounts(ctx, box, panel, tone, tokens, far);
  if (panel.more) pill(ctx, box.x + 20, box.y + box.h - 40, `and ${panel.more} more: show them`, tokens, "focus");
  return undefined;
}

/** @param {Ctx} ctx @param {Box} box @param {import("../model/spaces.js").Panel} panel @param {string} tone @param {Tokens} tokens @param {boolean} far */
function spaceCounts(ctx, box, { count, inside = 0 }, tone, tokens, far) {
  const size = far ? 24 : 17;
  const left = box.x + 18;
  const all = Math.max(count.pods, count.wanted);
  const pods = all ? `${count.ready.toLocaleString("en")} of ${all.toLocaleString("en")} pod${all === 1 ? "" : "s"} ready` : "no pods";
  const told = count.failing ? write(ctx, `✕ ${count.failing}${far ? "" : " failing"}`, box.x + box.w - 18, box.y + 76, 130, { size: far ? 21 : 16, least: 12, weight: 600, family: tokens.words, colour: tokens["text-blocked"], align: "right" }) + 12
    : inside >= 0.05 ? write(ctx, `${perSecond(inside)} inside`, box.x + box.w - 18, box.y + 76, 150, { size: far ? 20 : 15, family: tokens.words, colour: tokens["text-third"], align: "right" }) + 12 : 0;
  write(ctx, pods, left, box.y + 76, box.w - 36 - told, { size, least: 13, weight: 600, family: tokens.words, colour: tone && !count.failing ? tokens[tone] : tokens.text });
  const rest = [[count.workloads, "workload"], [count.services, "Service"], [count.policies, "policy"]].filter(([many]) => many)
    .map(([many, word]) => `${many} ${many === 1 ? word : word === "policy" ? "policies" : `${word}s`}`).join(" · ");
  write(ctx, rest || "nothing in it", left, box.y + 104, box.w - 36, { size: far ? 20 : 15, least: 11, family: tokens.words, colour: tokens["text-second"] });
  bar(ctx, { x: left, y: box.y + 118, w: box.w - 36, h: 8 }, count, tokens);
}

/** Ready, pending and failing as shares of one bar; nothing that fails is thinner than a few pixels. */
function bar(/** @type {Ctx} */ ctx, /** @type {import("../model/layout.js").Rect} */ { x, y, w, h }, /** @type {Count} */ count, /** @type {Tokens} */ tokens) {
  roundRect(ctx, x, y, w, h, 4);
  ctx.fillStyle = tokens.bus;
  ctx.fill();
  const all = Math.max(count.pods, count.wanted, 1);
  const failing = count.failing ? Math.max(6, (count.failing / all) * w) : 0;
  const pending = count.pending ? Math.max(6, (count.pending / all) * w) : 0;
  const ready = Math.max(0, Math.min((count.ready / all) * w, w - failing - pending));
  let left = x;
  for (const [width, colour] of /** @type {[number, string][]} */ ([[ready, "stripe"], [pending, "pending"], [failing, "kind-blocked"]])) {
    if (!width) continue;
    roundRect(ctx, left, y, width, h, 4);
    ctx.fillStyle = tokens[colour];
    ctx.fill();
    left += width;
  }
}
