/** Dragging things in the picture: what may be dragged is taken, everything else still moves the camera. Loaded with the views. */

/**
 * @typedef {object} Hand
 * @property {(id: string, point: {x: number, y: number}) => boolean} takes whether the thing may be dragged by this point of it
 * @property {(id: string, middle: {x: number, y: number}) => void} moves its middle is now here
 * @property {(id: string) => void} lets it was let go
 */

/** @param {any} picture @param {Hand} hand */
export function draggable(picture, hand) {
  const { cy } = picture;
  const { graph } = picture.surfaces;
  cy.autoungrabify(false);
  let grabbed = "";
  let frame = 0;
  const down = (/** @type {PointerEvent} */ event) => {
    if (grabbed) cy.getElementById(grabbed).ungrabify();
    grabbed = "";
    if (event.button !== 0 || !event.isPrimary || picture.spot) return;
    const box = graph.getBoundingClientRect();
    const { x, y, zoom } = picture.camera.get();
    const point = { x: (event.clientX - box.left - x) / zoom, y: (event.clientY - box.top - y) / zoom };
    const id = under(picture.layout, point);
    if (!id || !hand.takes(id, point)) return;
    grabbed = id;
    cy.getElementById(id).grabify();
  };
  graph.addEventListener("pointerdown", down, true);
  cy.on("drag", "node", (/** @type {any} */ event) => {
    if (frame) return;
    frame = requestAnimationFrame(() => {
      frame = 0;
      if (event.target.grabbed()) hand.moves(event.target.id(), event.target.position());
    });
  });
  cy.on("dragfree", "node", (/** @type {any} */ event) => {
    cancelAnimationFrame(frame);
    frame = 0;
    hand.moves(event.target.id(), event.target.position());
    hand.lets(event.target.id());
  });
  cy.one("destroy", () => graph.removeEventListener("pointerdown", down, true));
}

/** The smallest thing there. @param {any} layout @param {{x: number, y: number}} point @returns {string} "" for none */
function under(layout, { x, y }) {
  let [best, least] = ["", Infinity];
  for (const box of layout?.boxes.values() ?? []) {
    if (x < box.x || y < box.y || x > box.x + box.w || y > box.y + box.h || box.w * box.h >= least) continue;
    [best, least] = [box.id, box.w * box.h];
  }
  return best;
}
