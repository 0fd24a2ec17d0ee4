/** Nothing but a page: what a frame costs anyway. */

export async function start() {
  let frames = 0;
  const tick = () => { frames += 1; requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
  return { cy: null, frames: () => frames, change: () => {}, packets: () => {}, first: async (began) => performance.now() - began };
}
