/** The top bar: status and time. */
import { byId } from "./dom.js";

/** From a thousandth to four times; 1 is as it happens. */
const SPEEDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 4];

/** @param {{pause: (on: boolean) => void, step: () => void, speed: (factor: number) => void, theme: () => void}} ports */
export function toolbar(ports) {
  const pause = byId("pause");
  const step = /** @type {HTMLButtonElement} */ (byId("step"));
  const speed = /** @type {HTMLInputElement} */ (byId("speed"));
  let paused = false;
  const show = (/** @type {boolean} */ on) => {
    paused = on;
    pause.setAttribute("aria-pressed", String(paused));
    pause.setAttribute("aria-label", paused ? "Go on" : "Pause");
    pause.querySelector("use")?.setAttribute("href", `${document.body.dataset.icons}#${paused ? "play" : "pause"}`);
    step.disabled = !paused;
  };
  const toggle = () => {
    show(!paused);
    ports.pause(paused);
  };
  const setSpeed = () => {
    const factor = SPEEDS[Number(speed.value)];
    byId("speed-value").textContent = speedText(factor);
    speed.setAttribute("aria-valuetext", speedText(factor));
    ports.speed(factor);
  };
  pause.addEventListener("click", toggle);
  step.addEventListener("click", () => ports.step());
  speed.addEventListener("input", setSpeed);
  import("./themes.js").then((m) => m.themeButton(ports.theme));
  return {
    toggle,
    /** Without telling anybody: time was stopped or started from elsewhere. */
    show,
    step: () => { if (paused) ports.step(); },
    faster: (/** @type {number} */ by) => { speed.value = String(Number(speed.value) + by); setSpeed(); },
  };
}

/** @param {number} factor @returns {string} `1/100×`, `2×` */
export function speedText(factor) {
  return factor < 1 ? `1/${Math.round(1 / factor)}×` : `${factor}×`;
}

/** @param {string} state @param {string} words */
export function status(state, words) {
  byId("status").dataset.state = state;
  const text = byId("status-text");
  if (text.textContent !== words) text.textContent = words;
}

let timer = 0;

/** @param {string} words shown over the picture; "" hides it @param {number} [ms] how long, for ever without */
export function notice(words, ms = 0) {
  const box = byId("notice");
  clearTimeout(timer);
  box.textContent = words;
  box.hidden = !words;
  if (words && ms) timer = setTimeout(() => { box.hidden = true; }, ms);
}
