/** How a big cluster is shown: every node in its zone. What `Picture` asks of a view. */
import { lines, way } from "../../model/lines.js";
import { MassTracks } from "../../model/masstracks.js";

export class MassView {
  constructor() {
    this.name = "mass";
    /** Lines are drawn of the selection alone. */
    this.most = 0;
    /** @type {MassTracks|null} */
    this.tracks = null;
    /** For a file. @type {(ctx: CanvasRenderingContext2D) => number} */
    this.paint = () => 0;
  }

  /** @param {import("./world.js").World} world */
  settle(world) {
    this.tracks = new MassTracks({ layout: world.layout, mass: world.mass, entities: world.entities, box: (id) => world.box(id), foot: (node) => world.foot(node) });
  }

  /** @param {string} ref @returns {string} */
  shownAs(ref) {
    return ref;
  }

  /** @param {any} route @returns {import("../../model/lines.js").Way|null} */
  way(route) {
    return this.tracks ? way(route, /** @type {any} */ (this.tracks)) : null;
  }

  /** @param {Iterable<import("../../model/lines.js").Way>} ways */
  lines(ways) {
    return lines(ways);
  }

  doors() {
    return [];
  }
}
