/** By node, where things run: the view the page opens with. */
import { layout } from "../model/layout.js";
import { doors, lines, way } from "../model/lines.js";
import { Tracks } from "../model/tracks.js";
import { paint } from "./scene.js";

export class ByNode {
  constructor() {
    this.name = "nodes";
    this.paint = paint;
    /** What of the cluster is shown; all of it without. @type {{entities: (all: Map<string, any>) => Map<string, any>, route: (route: any) => boolean}|null} */
    this.lens = null;
    /** Most lines at once; those of the selection always are. */
    this.most = 260;
    /** What a person put elsewhere; told by who lets people do so. @type {((places: Map<string, number[]>) => Set<string>)|null} */
    this.pins = null;
    /** @type {Map<string, any>} */
    this.entities = new Map();
    /** @type {import("../model/layout.js").Layout|null} */
    this.layout = null;
    /** @type {import("../model/tracks.js").Lanes} */
    this.lanes = new Map();
    /** @type {Tracks|null} */
    this.tracks = null;
  }

  /** @param {Map<string, any>} entities @param {Map<string, number[]>} places slots a person gave @param {boolean} fresh forget where things were */
  arrange(entities, places, fresh) {
    if (fresh) [this.lanes, this.layout] = [new Map(), null];
    this.entities = entities;
    return this.put(places);
  }

  /** @param {Map<string, number[]>} places */
  put(places) {
    this.layout = layout([...this.entities.values()], this.layout, places);
    this.layout.pinned = this.pins?.(places);
    this.tracks = new Tracks(this.layout, this.entities, this.lanes);
    return this.layout;
  }

  /** @param {string} ref @returns {string} what stands for it in the picture */
  shownAs(ref) {
    return ref;
  }

  /** @param {any} route @returns {import("../model/lines.js").Way|null} */
  way(route) {
    return this.tracks ? way(route, this.tracks) : null;
  }

  /** @param {Iterable<import("../model/lines.js").Way>} ways */
  lines(ways) {
    return lines(ways);
  }

  /** @param {Iterable<import("../model/lines.js").Way>} ways */
  doors(ways) {
    return doors(ways);
  }
}
