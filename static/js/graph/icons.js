/** The few icons of the picture, drawn as paths around a centre. */

/** @typedef {CanvasRenderingContext2D} Ctx */

/** @param {Ctx} ctx @param {number} x @param {number} y @param {string} colour */
export function rack(ctx, x, y, colour) {
  for (const dy of [-8, -1, 6]) {
    ctx.fillStyle = colour;
    ctx.beginPath();
    ctx.roundRect(x - 11, y + dy - 3, 22, 5.5, 1.5);
    ctx.fill();
    ctx.globalCompositeOperation = "source-over";
  }
}

/** @param {Ctx} ctx @param {number} x @param {number} y @param {string} colour */
export function globe(ctx, x, y, colour) {
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.8;
  ctx.beginPath();
  ctx.arc(x, y, 13, 0, Math.PI * 2);
  ctx.moveTo(x - 13, y);
  ctx.lineTo(x + 13, y);
  ctx.moveTo(x, y - 13);
  ctx.lineTo(x, y + 13);
  ctx.stroke();
  ctx.beginPath();
  ctx.ellipse(x, y, 6, 13, 0, 0, Math.PI * 2);
  ctx.stroke();
}

/** @param {Ctx} ctx @param {number} x @param {number} y @param {string} colour */
export function fork(ctx, x, y, colour) {
  ctx.strokeStyle = colour;
  ctx.lineWidth = 2;
  ctx.lineCap = "round";
  ctx.beginPath();
  for (const dy of [-9, 0, 9]) {
    ctx.moveTo(x - 11, y);
    ctx.lineTo(x + 11, y + dy);
  }
  ctx.stroke();
}

/** @param {Ctx} ctx @param {number} x @param {number} y @param {string} colour */
export function shield(ctx, x, y, colour) {
  ctx.strokeStyle = colour;
  ctx.fillStyle = colour;
  ctx.lineWidth = 1.6;
  ctx.beginPath();
  ctx.moveTo(x, y - 9);
  ctx.lineTo(x + 8, y - 6);
  ctx.quadraticCurveTo(x + 8, y + 5, x, y + 10);
  ctx.quadraticCurveTo(x - 8, y + 5, x - 8, y - 6);
  ctx.closePath();
  ctx.stroke();
  ctx.save();
  ctx.globalAlpha *= 0.25;
  ctx.fill();
  ctx.restore();
}
