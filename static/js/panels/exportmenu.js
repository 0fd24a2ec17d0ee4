/** What can be taken home: manifests, the picture, the open trace, the table of flows. Loaded when it is wanted. */
import { flowTable } from "../model/csv.js";
import { markdown } from "../model/tracemarkdown.js";
import { fileName, follow, save } from "./download.js";
import { byId } from "./dom.js";
import { closeMenu, openMenu } from "./menu.js";
import { toast } from "./toasts.js";

/**
 * @typedef {object} Ports
 * @property {string} cluster
 * @property {import("../model/store.js").Store} store
 * @property {string} manifests where they can be had
 * @property {(title: string) => Promise<string>} svg the picture
 * @property {() => Promise<Blob>} png
 * @property {() => {trace: any, question: Record<string, string>}|null} traced the open trace
 * @property {() => string} link the address of what is shown now
 */
/** @typedef {{id: string, label: string, ending: string, needs?: "trace", path?: string, make: (ports: Ports) => Promise<Blob>|Blob|null}} Export */

const text = (/** @type {string} */ content, /** @type {string} */ type) => new Blob([content], { type: `${type};charset=utf-8` });

/** @type {Export[]} */
export const EXPORTS = [
  { id: "yaml", label: "Manifests as YAML", ending: ".yaml", make: () => null },
  { id: "kubeconfig", label: "kubeconfig for kubectl", ending: ".kubeconfig", path: "kubeconfig", make: () => null },
  { id: "svg", label: "Picture as SVG", ending: ".svg", make: async (ports) => text(await ports.svg(title(ports)), "image/svg+xml") },
  { id: "png", label: "Picture as PNG, twice the size", ending: ".png", make: (ports) => ports.png() },
  { id: "trace-md", label: "Trace as Markdown", ending: "-trace.md", needs: "trace", make: (ports) => text(asMarkdown(ports), "text/markdown") },
  { id: "trace-json", label: "Trace as JSON", ending: "-trace.json", needs: "trace", make: (ports) => text(`${JSON.stringify(ports.traced()?.trace, null, 2)}\n`, "application/json") },
  { id: "csv", label: "Flows as CSV", ending: "-flows.csv", make: (ports) => text(flowTable(ports.store), "text/csv") },
];

/** @param {Ports} ports */
function title(ports) {
  return `Cluster ${ports.cluster}, ${new Date().toLocaleString()}`;
}

/** @param {Ports} ports */
function asMarkdown(ports) {
  const { trace, question } = /** @type {{trace: any, question: Record<string, string>}} */ (ports.traced());
  const asked = question.from ? `From ${question.from} to ${question.to}` : "A packet that was seen";
  return markdown(trace, { question: asked, cluster: ports.cluster, time: new Date().toISOString(), address: question.from ? ports.link() : "" });
}

/** @param {Export} one @param {Ports} ports @returns {boolean} */
export function possible(one, ports) {
  return one.needs !== "trace" || ports.traced() !== null;
}

/** @param {Export} one @param {Ports} ports */
export async function take(one, ports) {
  const name = fileName(ports.cluster, one.ending);
  try {
    const blob = await one.make(ports);
    if (blob) save(name, blob);
    else follow(one.path ? new URL(one.path, new URL(ports.manifests, location.href)).href : ports.manifests, name);
  } catch (error) {
    toast(`${one.label}: ${error instanceof Error ? error.message : error}`, "bad");
  }
}

/** Opens the menu under its button, or closes it. @param {Ports} ports */
export function exportMenu(ports) {
  const button = byId("export");
  if (button.getAttribute("aria-expanded") === "true") return void closeMenu();
  const item = (/** @type {Export} */ one) => ({ label: one.label, testid: `export-${one.id}`, why: "Open a trace first (t)", run: possible(one, ports) ? () => { take(one, ports); } : undefined });
  openMenu([EXPORTS.map(item)], { label: "Export", testid: "exports", owner: button });
}
