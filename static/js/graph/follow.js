/** The camera follows a traced packet for a projector, near enough to be read from the last row. */

/** @typedef {{x: number, y: number, w: number, h: number}} Rect */
/**
 * What is asked of the picture.
 * @typedef {object} Picture
 * @property {any} cy
 * @property {import("./camera.js").Camera} camera
 * @property {{boxes: {get: (id: string) => Rect|undefined}}|null} layout
 * @property {{ref: string}|null} spot
 * @property {import("./tokens.js").Tokens} tokens
 * @property {boolean} still
 */

/** Share of the window's height that words on the way have at least, and the smallest of them in the picture: a name in two lines. */
const LEGIBLE = { share: 0.026, words: 23 };
const MARGIN = 14;
/** ms */
const GLIDE = 450;

/** Where each camera stood before it went near. @type {WeakMap<object, {x: number, y: number, zoom: number, moved: boolean}>} */
const before = new WeakMap();

/** Goes near to the hop that is told about; back to where it stood when none is. @param {Picture} picture */
export function follow({ cy, camera, layout, spot, tokens, still }) {
  if (!spot) return leave(cy, camera);
  const box = layout?.boxes.get(spot.ref);
  if (!box || !(Number(tokens["picture-words"]) > 1)) return undefined;
  if (!before.has(camera)) before.set(camera, { ...camera.get(), moved: camera.moved });
  camera.moved = true;
  const { bounds, container } = camera;
  const zoom = Math.max(camera.get().zoom, (LEGIBLE.share * innerHeight) / LEGIBLE.words);
  const pan = { x: held(container.clientWidth, (box.x + box.w / 2) * zoom, bounds.x * zoom, bounds.w * zoom),
    y: held(container.clientHeight, (box.y + box.h / 2) * zoom, bounds.y * zoom, bounds.h * zoom) };
  cy.stop();
  if (still) cy.viewport({ zoom, pan });
  else cy.animate({ zoom, pan }, { duration: GLIDE });
  return undefined;
}

/** @param {any} cy @param {import("./camera.js").Camera} camera */
function leave(cy, camera) {
  const stood = before.get(camera);
  if (!stood) return;
  before.delete(camera);
  cy.stop();
  camera.moved = stood.moved;
  if (stood.moved) cy.viewport({ zoom: stood.zoom, pan: { x: stood.x, y: stood.y } });
  else camera.fit();
}

/**
 * Along one axis: what is told about in the middle, but nothing empty beside what is all there is.
 * @param {number} space px there are @param {number} middle of the box, px from the origin @param {number} start of everything @param {number} size of everything
 * @returns {number} the pan
 */
function held(space, middle, start, size) {
  if (size + 2 * MARGIN <= space) return (space - size) / 2 - start;
  return Math.max(space - MARGIN - start - size, Math.min(MARGIN - start, space / 2 - middle));
}
