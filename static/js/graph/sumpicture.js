/** The picture of a large cluster by service or by namespace: drawn from sums, not from single pods and connections. */
import { Picture } from "./picture.js";

export class SumPicture extends Picture {
  /** @param {import("./picture.js").Surfaces} surfaces @param {import("./picture.js").Handlers} handlers @param {import("../model/sums.js").Sums} sums */
  constructor(surfaces, handlers, sums) {
    super(surfaces, handlers);
    this.sums = sums;
  }

  /** @param {Map<string, any>} _ what the browser borrowed is not all there is @param {any} settings @param {boolean} [fresh] */
  setScene(_, settings, fresh = false) {
    super.setScene(this.sums.entities, settings, fresh);
  }

  /** @param {Map<string, any>} _ */
  setRoutes(_) {
    super.setRoutes(this.sums.routes);
  }

  /** Single connections are told of what is watched alone. */
  addCalls() {}

  /** @param {number} passed ms since the last time */
  pulse(passed) {
    if (!this.paused) super.addCalls(this.sums.calls(passed), passed);
  }

  /** A dot stands for a sum: there is no connection to follow. */
  dotAt() {
    return null;
  }

  /** @param {number} rps */
  legend(rps) {
    const { sampled, measured } = this.sums;
    if (!measured) return "calls of that moment are not kept";
    return `${super.legend(rps)}${sampled > 1 ? ` · 1 of ${sampled} connections decided` : ""}`;
  }
}
