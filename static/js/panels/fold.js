/** The side panel folded away and back; on a projector a trace begins with it folded, because the picture needs the room. */
import { byId, h, icon } from "./dom.js";

/** Folds the panel away if it is seen, else shows it. */
export function fold() {
  const [stage, side] = [byId("side").parentElement, byId("side")];
  if (stage && !side.hidden) stage.dataset[side.classList.contains("tracing") ? "traced" : "side"] = side.offsetWidth ? "folded" : "open";
}

/** Puts the control on the picture's edge. */
export function start() {
  const button = h("button.fold", { testid: "fold", "aria-controls": "side", "aria-expanded": "true", "aria-label": "Details at the side", title: "Details at the side (d)", onclick: fold }, icon("next"));
  byId("picture").append(button);
  new ResizeObserver(() => button.setAttribute("aria-expanded", String(byId("side").offsetWidth > 0))).observe(byId("side"));
}
