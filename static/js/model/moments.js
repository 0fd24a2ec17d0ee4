/** Moments in words, and the bookmarks of a cluster. */

const MOST = 50;
const LONGEST = 60;

/** @param {number} seconds @returns {string} `3 min 12 s` */
export function span(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const [minutes, rest] = [Math.floor(whole / 60), whole % 60];
  if (minutes >= 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return [minutes ? `${minutes} min` : "", rest || !minutes ? `${rest} s` : ""].filter(Boolean).join(" ");
}

/** @param {number} seconds @returns {string} `3 min 12 s ago`, `now` */
export function ago(seconds) {
  return Math.round(seconds) < 1 ? "now" : `${span(seconds)} ago`;
}

/** @param {number} time seconds since 1970 @param {number} [digits] of a second @returns {string} `21:03:12` */
export function wall(time, digits = 0) {
  const part = digits ? `.${Math.floor((time % 1) * 10 ** digits).toString().padStart(digits, "0")}` : "";
  return new Date(Math.floor(time) * 1000).toLocaleTimeString("en-GB") + part;
}

/** @typedef {{time: number, name: string}} Bookmark */

/** Bookmarks in order of time, kept in a storage under the cluster's name. */
export class Bookmarks {
  /** @param {Pick<Storage, "getItem"|"setItem">} storage @param {string} cluster */
  constructor(storage, cluster) {
    this.storage = storage;
    this.key = `clusterviz.bookmarks.${cluster}`;
    /** @type {Bookmark[]} */
    this.all = readable(storage.getItem(this.key));
  }

  /** @param {number} time @param {string} name @returns {boolean} false when there are too many */
  add(time, name) {
    const others = this.all.filter((one) => one.time !== time);
    if (others.length >= MOST) return false;
    this.all = [...others, { time, name: name.trim().slice(0, LONGEST) || wall(time) }].sort((a, b) => a.time - b.time);
    this.save();
    return true;
  }

  /** @param {number} time */
  remove(time) {
    this.all = this.all.filter((one) => one.time !== time);
    this.save();
  }

  save() {
    this.storage.setItem(this.key, JSON.stringify(this.all));
  }
}

/** @param {string|null} text @returns {Bookmark[]} what can be read of it */
function readable(text) {
  try {
    const found = JSON.parse(text ?? "[]");
    return Array.isArray(found) ? found.filter((one) => Number.isFinite(one?.time) && typeof one?.name === "string").slice(0, MOST) : [];
  } catch {
    return [];
  }
}
