/** Letters at the objects of the picture that stand for the choices of a question: buttons that follow the camera. */
import { byId, fill, h } from "./dom.js";
import { LETTERS } from "./lesson.js";

export class Pins {
  /** @param {{picture: any, choose: (number: number) => void}} ports */
  constructor(ports) {
    this.ports = ports;
    this.box = byId("pins");
    /** @type {{ref: string, element: HTMLElement, nth: number}[]} */
    this.all = [];
    ports.picture.cy.on("viewport", () => this.place());
    new ResizeObserver(() => this.place()).observe(this.box);
  }

  /** @param {any} question of a view, or null */
  draw(question) {
    const counts = new Map();
    const made = (question?.refs ?? []).map((/** @type {string} */ ref, /** @type {number} */ i) => {
      if (!ref) return null;
      const nth = counts.get(ref) ?? 0;
      counts.set(ref, nth + 1);
      return { ref, nth, element: this.pin(question, i) };
    }).filter(Boolean);
    this.all = made;
    fill(this.box, made.map((/** @type {any} */ one) => one.element));
    this.place();
  }

  /** @param {any} question @param {number} i */
  pin(question, i) {
    const done = question.right !== null;
    const state = !done ? (question.chosen === i ? "chosen" : "") : i === question.right ? "right" : i === question.chosen ? "wrong" : "";
    return h("button.pin", { testid: `pin-${i}`, data: { state }, disabled: done, "aria-label": `${LETTERS[i]}: ${question.choices[i]}`, title: question.choices[i],
      onclick: () => this.ports.choose(i) }, state === "right" ? "✓" : state === "wrong" ? "✗" : LETTERS[i]);
  }

  place() {
    for (const { ref, element, nth } of this.all) {
      const at = this.ports.picture.screenBox(ref);
      element.hidden = !at;
      if (at) Object.assign(element.style, { left: `${at.x + nth * 40}px`, top: `${at.y}px` });
    }
  }
}
