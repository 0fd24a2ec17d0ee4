/** What is drawn over everything, frame by frame: ambient packets and what they leave, or the traced packet alone. */
export { Counts } from "../model/counts.js";
export { replyOf } from "../model/replies.js";
import { drawCounts, drawMarks, shrunk } from "./badges.js";
import { pill, pillHeight, pillWidth } from "./cards.js";
import { drawDots, drawReplies, paintLook, stampDots } from "./dots.js";
import { aim, fitCanvas } from "./scene.js";
import { Sprites } from "./sprites.js";

/** @typedef {CanvasRenderingContext2D} Ctx */
/**
 * What of the picture is drawn here.
 * @typedef {object} Picture
 * @property {import("../model/layout.js").Layout|null} layout
 * @property {import("./tokens.js").Tokens} tokens
 * @property {(import("./spotlight.js").Spot & {draw: typeof import("./spotlight.js").drawSpotlight})|null} spot
 * @property {number} reached
 * @property {number} title
 * @property {boolean} still
 * @property {number} gesture
 * @property {number} uncounted
 * @property {import("./loop.js").Loop} loop
 * @property {import("../model/packets.js").Packets} packets
 * @property {import("../model/marks.js").Marks} marks
 * @property {Map<string, import("../model/lines.js").Way|null>} backs
 * @property {(import("../model/lines.js").Door & {width: number})[]} doors
 * @property {(dot: import("../model/packets.js").Dot) => boolean} visible
 * @property {{shownAs: (ref: string) => string}} view
 * @property {() => {line: import("../model/lines.js").Line, rate: number}[]} countedLines
 * @property {{reach: number}} camera
 */

const sprites = new Sprites(paintLook);
/** The tokens the stamps were made with. @type {import("./tokens.js").Tokens|null} */
let worn = null;

/** @param {HTMLCanvasElement} canvas @param {Picture} picture @param {import("./scene.js").Camera} camera */
export function drawOver(canvas, picture, camera) {
  const ctx = /** @type {Ctx} */ (canvas.getContext("2d"));
  const ratio = fitCanvas(canvas);
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.clearRect(0, 0, canvas.width, canvas.height);
  if (!picture.layout) return;
  aim(ctx, camera, ratio);
  paintOver(ctx, picture, camera.zoom, picture.gesture ? 0 : picture.loop.pace.step.trail, sprites, { top: -camera.y / camera.zoom, right: (canvas.clientWidth - camera.x) / camera.zoom });
}

/** @param {Ctx} ctx @param {Picture} picture @param {number} zoom @param {number} trail segments behind a packet
 * @param {Sprites|null} [stamps] what packets are stamped with; null draws shapes, as a file wants them
 * @param {{top: number, right: number}} [view] where it begins and ends */
export function paintOver(ctx, picture, zoom, trail, stamps = sprites, view = { top: -Infinity, right: Infinity }) {
  const { spot, tokens, layout } = picture;
  if (worn !== tokens) sprites.forget();
  worn = tokens;
  if (!layout) return;
  if (spot) {
    spot.draw(ctx, spot, picture.reached, tokens, layout, picture.title, { ...view, larger: Number(tokens["picture-words"]) > 1 ? LARGE : 1 });
    return;
  }
  // Words on a very large screen are looked at from further away.
  const seen = stamps ? zoom / picture.camera.reach : zoom;
  if (picture.still) picture.uncounted = drawCounts(ctx, picture.countedLines(), wordsOf(picture, layout), tokens, seen);
  else {
    drawReplies(ctx, picture.backs.values(), tokens);
    const how = { zoom, trail, shown: (/** @type {import("../model/packets.js").Dot} */ dot) => picture.visible(dot) };
    if (stamps) stampDots(ctx, picture.packets.dots, tokens, how, stamps);
    else drawDots(ctx, picture.packets.dots, tokens, how);
    if (stamps && layout.slots) pass(ctx, layout);
  }
  drawDoors(ctx, picture, doorSize(zoom, tokens));
  drawMarks(ctx, picture.marks.all.values(), (ref) => layout.boxes.get(picture.view.shownAs(ref)), layout, roofsOf(picture), tokens, seen);
}

/** What a packet leaves free at the lower edge of a Service, where it stands: a glyph, but not its rings. */
const FOOT = 8;

/** Packets pass behind Services: their names and addresses stay readable. @param {Ctx} ctx @param {import("../model/layout.js").Layout} layout */
function pass(ctx, { slots, boxes }) {
  for (const id of slots.lane.keys()) {
    const box = boxes.get(id);
    if (box) ctx.clearRect(box.x + 4, box.y + 1, box.w - 8, box.h - FOOT);
  }
}

/** Where words stand that a number must not cover. @param {Picture} picture @param {import("../model/layout.js").Layout} layout */
function wordsOf(picture, layout) {
  return [
    ...[...layout.boxes.values()].filter((box) => box.kind !== "node").map(shrunk),
    ...roofsOf(picture),
    ...[...picture.marks.all.values()].flatMap((mark) => mark.box ?? []),
  ];
}

/** Where the node ports stand, once they were drawn. @param {Picture} picture */
function roofsOf({ doors }) {
  return doors.map((door) => ({ x: door.x - door.width - 16, y: door.y - ROOF, w: door.width, h: 2 * ROOF }));
}

/** The flag's words for a projector, where the camera is near. */
const LARGE = 1.4;
/** The roof has room for words this large at most. */
const ROOF = 18;

/** @param {number} zoom @param {import("./tokens.js").Tokens} tokens @returns {number} how large the words of node ports are in the picture: as large on the screen as there is room for */
function doorSize(zoom, tokens) {
  return Math.min(ROOF, Math.max(16, 14 / zoom) * Number(tokens["picture-words"] || 1));
}

/** The node ports in use, on the roofs of the nodes. @param {Ctx} ctx @param {Picture} picture @param {number} size of the words */
function drawDoors(ctx, { doors, tokens }, size) {
  for (const door of doors) {
    door.width = pillWidth(ctx, door.text, tokens, size);
    pill(ctx, door.x - door.width - 16, door.y - pillHeight(size) / 2, door.text, tokens, "text-ingress", size);
  }
}
