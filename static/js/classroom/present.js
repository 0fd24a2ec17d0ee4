/** The presentation as a clicker begins and ends it: F5, then F5 or Esc. The whole screen, in the profile of a projector. */
import { setTheme, theme } from "../panels/themes.js";

export class Presentation {
  /** @param {() => void} retheme */
  constructor(retheme) {
    this.retheme = retheme;
    /** The theme to go back to; "" while nothing is presented. */
    this.before = "";
    // Of a whole screen the browser itself takes Esc, and says so by this.
    document.addEventListener("fullscreenchange", () => { if (!document.fullscreenElement) this.end(); });
  }

  toggle() {
    if (this.end()) return;
    this.before = theme();
    setTheme("projector", this.retheme);
    // A frame of a course page may not have the screen; the profile serves there too.
    document.documentElement.requestFullscreen?.().catch(() => {});
  }

  /** @returns {boolean} whether there was one to end */
  end() {
    const { before } = this;
    this.before = "";
    if (before) setTheme(before, this.retheme);
    if (before && document.fullscreenElement) document.exitFullscreen();
    return Boolean(before);
  }
}
