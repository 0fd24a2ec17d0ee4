/** The worker behind the tiles: holds the world as bytes, draws the tile it is asked for, hands it over as a bitmap. */
import { drawTile, TILE } from "../../model/raster.js";

/** @type {import("../../model/raster.js").World|null} */
let world = null;

/** @param {MessageEvent<any>} event */
self.onmessage = async ({ data }) => {
  if (data.world) world = data.world;
  if (data.ready && world) world.ready = data.ready;
  if (data.places && world) data.places.forEach((/** @type {number} */ place, /** @type {number} */ i) => { /** @type {any} */ (world).look[place] = data.looks[i]; });
  if (!data.tile || !world) return;
  const pixels = new Uint32Array(TILE * TILE);
  const began = performance.now();
  drawTile(world, data.tile.level, data.tile.x, data.tile.y, pixels);
  const bitmap = await createImageBitmap(new ImageData(new Uint8ClampedArray(pixels.buffer), TILE, TILE));
  self.postMessage({ key: data.tile.key, turn: data.tile.turn, bitmap, took: performance.now() - began }, { transfer: [bitmap] });
};
