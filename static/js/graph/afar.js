/** The ordinary picture from afar: nodes as tiles, pods as dots coloured by state, words kept as large as can be read. */
import { podState } from "../model/podstate.js";
import { podName } from "./cards.js";
import { rack } from "./icons.js";
import { plate, roundRect, write } from "./text.js";

/** @typedef {CanvasRenderingContext2D} Ctx */
/** @typedef {import("../model/layout.js").Box} Box */
/** @typedef {import("./tokens.js").Tokens} Tokens */

/** px on the screen: words, and the least side of what is in trouble. */
const WORDS = 12.5;
const LOUD = 7;

/** @typedef {"well"|"pending"|"failing"|"gone"} Mood */

/** @param {any} pod @returns {Mood} */
export function moodOf(pod) {
  const { tone } = podState(pod);
  return tone === "text-blocked" ? "failing" : tone === "pending" ? "pending" : tone === "text-third" ? "gone" : "well";
}

/** @param {Ctx} ctx @param {Box} box @param {any} pod @param {Tokens} tokens @param {number} zoom */
export function drawPod(ctx, box, pod, tokens, zoom) {
  const mood = moodOf(pod);
  const colour = tokens[{ well: "stripe", pending: "state-pending", failing: "state-failing", gone: "text-third" }[mood]];
  roundRect(ctx, box.x, box.y, box.w, box.h, 12);
  ctx.fillStyle = tokens.card;
  ctx.fill();
  const r = Math.max(LOUD / 2 / zoom, Math.min(box.h * 0.3, 5 / zoom));
  const [x, y] = [box.x + r + 12, box.y + box.h / 2];
  ctx.beginPath();
  ctx.arc(x, y, r, 0, Math.PI * 2);
  ctx.strokeStyle = colour;
  ctx.fillStyle = colour;
  ctx.lineWidth = 1.6 / zoom;
  if (mood === "pending" || mood === "gone") ctx.stroke();
  else ctx.fill();
  if (mood === "failing") {
    ctx.lineWidth = 2 / zoom;
    roundRect(ctx, box.x, box.y, box.w, box.h, 12);
    ctx.stroke();
  }
  const size = WORDS / zoom;
  const room = box.x + box.w - x - r - 14;
  if (size > box.h || room < size * 2.6) return;
  write(ctx, podName(pod)[0], x + r + 8, y + size * 0.36, room, { size, least: size, weight: 550, family: tokens.words, colour: mood === "failing" ? tokens["text-blocked"] : tokens["text-second"] });
}

/**
 * @param {Ctx} ctx @param {import("../model/layout.js").Panel} panel @param {any} node @param {import("./scene.js").Scene} scene @param {Tokens} tokens @param {number} zoom
 */
export function drawNode(ctx, { box, bridge, socket }, node, scene, tokens, zoom) {
  plate(ctx, box, 14, tokens.panel, node.ready ? tokens.border : tokens["kind-blocked"], (node.ready ? 1.2 : 2.4) / zoom);
  ctx.fillStyle = tokens.bus;
  ctx.fillRect(socket.x + 16, box.y + box.h, socket.w - 32, socket.h + 16);
  const size = Math.min((WORDS + 1) / zoom, 46);
  const state = !node.ready ? "NotReady" : !node.schedulable ? "cordoned" : "";
  const y = box.y + 23 + size * 0.36;
  const right = state ? write(ctx, state, box.x + box.w - 16, y, box.w / 2, { size: size * 0.9, weight: 650, family: tokens.words, align: "right",
    colour: tokens[node.ready ? "pending" : "text-blocked"] }) : 0;
  rack(ctx, box.x + 27, box.y + 24, node.ready ? tokens["stripe-quiet"] : tokens["kind-blocked"]);
  write(ctx, node.name, box.x + 48, y, box.w - 76 - right, { size, least: Math.min(size, 15), weight: 650, family: tokens.words, colour: tokens.text });
  drawCensus(ctx, bridge, scene, box.id, tokens, zoom);
}

/** How many pods stand here, and how many are in trouble: counts stay where names do not fit. */
function drawCensus(/** @type {Ctx} */ ctx, /** @type {import("../model/layout.js").Rect} */ bridge, /** @type {import("./scene.js").Scene} */ scene, /** @type {string} */ node,
  /** @type {Tokens} */ tokens, /** @type {number} */ zoom) {
  const moods = [...(scene.layout.slots.pods.get(node)?.keys() ?? [])].map((id) => scene.entities.get(id)).filter(Boolean).map(moodOf);
  const count = (/** @type {Mood} */ mood) => moods.filter((one) => one === mood).length;
  const trouble = [count("failing") ? `${count("failing")} failing` : "", count("pending") ? `${count("pending")} pending` : ""].filter(Boolean).join(", ");
  const size = Math.min(WORDS / zoom, 48);
  const y = bridge.y + bridge.h / 2 + size * 0.36;
  const used = write(ctx, `${moods.length} ${moods.length === 1 ? "pod" : "pods"}`, bridge.x + 8, y, bridge.w - 16, { size, family: tokens.words, colour: tokens["text-second"] });
  if (trouble) write(ctx, trouble, bridge.x + bridge.w - 8, y, bridge.w - used - 30, { size, least: size * 0.7, weight: 650, family: tokens.words,
    colour: tokens[count("failing") ? "text-blocked" : "pending"], align: "right" });
}
