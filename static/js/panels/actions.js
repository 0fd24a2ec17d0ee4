/** What an editor may do to an object, with a question first when it hurts. */
import { confirmed } from "./dialog.js";
import { fill, h } from "./dom.js";
import { toast } from "./toasts.js";

const MOST = 500;

/** @typedef {{act: (action: Record<string, any>) => Promise<{ok: boolean, body: any}>, editor: () => boolean, login: string, more?: (entity: any) => Choice[]}} Ports */
/** @typedef {{action: string, label: string, ask?: string, danger?: boolean}} Choice */

/** @param {any} entity @returns {Choice[]} */
export function choices(entity) {
  if (entity.kind === "pod") {
    return [
      entity.ready ? { action: "not-ready", label: "Mark not ready" } : { action: "ready", label: "Make ready" },
      { action: "crash", label: "Crash", ask: "Its containers exit whenever they run: the kubelet restarts them in place, later and later. \"Make ready\" ends it." },
      { action: "delete-pod", label: "Delete pod", danger: true, ask: "Its connections break. A controller, if it has one, replaces it with a pod of another name and address." },
    ];
  }
  if (entity.kind !== "node") return [];
  return [
    entity.schedulable ? { action: "cordon", label: "Cordon" } : { action: "uncordon", label: "Uncordon" },
    { action: "drain", label: "Drain", danger: true, ask: "No new pods come here, and all pods but those of DaemonSets are evicted." },
    entity.ready ? { action: "node-down", label: "Node down", danger: true, ask: "The machine stops answering. Its pods are unreachable until it comes back or they are replaced." }
      : { action: "node-up", label: "Node up" },
  ];
}

/** @param {any} entity @param {any|null} workload @param {Ports} ports without a page to sign in at nothing is offered @returns {HTMLElement|null|""} */
export function actionBar(entity, workload, ports) {
  const scaled = entity.kind === "workload" ? entity : workload;
  const offered = [...choices(entity), ...(ports.more?.(entity) ?? [])];
  const scalable = scaled && scaled.type !== "DaemonSet";
  if (!offered.length && !scalable) return null;
  if (!ports.editor()) {
    return ports.login && h("p.hint", { testid: "login-hint" }, h("a", { href: ports.login }, "Sign in"), " as an editor to change this cluster from the picture.");
  }
  return h("div.actions", { testid: "actions" },
    offered.map((choice) => h(choice.danger ? "button.danger" : "button", { testid: `action-${choice.action}`, onclick: () => perform(entity, choice, ports) }, choice.label)),
    scalable ? scaleForm(scaled, (request) => send(request, ports)) : null);
}

/** @param {Record<string, any>} request @param {Pick<Ports, "act">} ports */
export async function send(request, ports) {
  const answer = await ports.act(request);
  toast(answer.ok ? answer.body.message : answer.body.error, answer.ok ? "good" : "bad");
}

/** Does it, after a question when it hurts. @param {any} entity @param {Choice} choice @param {Pick<Ports, "act">} ports */
export async function perform(entity, choice, ports) {
  if (choice.ask && !(await confirmed(`${choice.label}: ${entity.name}?`, choice.ask, choice.label))) return;
  await send({ action: choice.action, target: entity.id }, ports);
}

/** @param {string} text @returns {number|null} a whole number from 0 to 500, or nothing */
export function replicasOf(text) {
  return /^\d{1,3}$/.test(text.trim()) && Number(text) <= MOST ? Number(text) : null;
}

/** @param {any} workload @param {(request: Record<string, any>) => void} send */
function scaleForm(workload, send) {
  const wrong = h("span.wrong", { testid: "scale-error", role: "alert" });
  const input = /** @type {HTMLInputElement} */ (h("input", { type: "number", min: 0, max: MOST, step: 1, value: workload.replicas, testid: "scale-replicas",
    "aria-label": `Replicas of ${workload.name}`, oninput: () => fill(wrong) }));
  return h("form.scale", { "aria-label": `Scale ${workload.id}`, novalidate: true, onsubmit: (/** @type {Event} */ event) => {
    event.preventDefault();
    const replicas = replicasOf(input.value);
    if (replicas === null) return fill(wrong, `Replicas must be a whole number from 0 to ${MOST}.`);
    fill(wrong);
    return send({ action: "scale", target: workload.id, replicas });
  } }, h("span.hint", {}, `Replicas of ${workload.name}`), input, h("button", { testid: "action-scale" }, "Scale"), wrong);
}
