/** Import: drop files on the page, or open the dialog to choose or paste manifests. */
import { byId } from "./dom.js";

/** @typedef {import("./importdialog.js").Ports} Ports */

/** @param {Ports} ports */
export function importer(ports) {
  const zone = byId("dropzone");
  let depth = 0;
  addEventListener("dragenter", (event) => { if (hasFiles(event)) { depth += 1; zone.hidden = false; } });
  addEventListener("dragleave", () => { depth = Math.max(0, depth - 1); if (!depth) zone.hidden = true; });
  addEventListener("dragover", (event) => { if (hasFiles(event)) event.preventDefault(); });
  addEventListener("drop", (event) => {
    depth = 0;
    zone.hidden = true;
    const files = [...(event.dataTransfer?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    if (files.some((file) => file.name.endsWith(".clusterviz.gz"))) replay(files);
    else open(ports, files);
  });
  return { open: () => open(ports, []) };
}

/** @param {DragEvent} event */
function hasFiles(event) {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

/** @param {Ports} ports @param {File[]} dropped */
async function open(ports, dropped) {
  const { importDialog } = await import("./importdialog.js");
  importDialog(ports, dropped);
}

/** A recording has a page of its own. @param {File[]} dropped */
async function replay(dropped) {
  const { handOver, recordingAmong } = await import("../net/handoff.js");
  handOver(/** @type {File} */ (recordingAmong(dropped)));
}
