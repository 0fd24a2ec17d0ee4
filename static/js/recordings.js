/** On the list of clusters: a recording dropped anywhere is opened. */
import "./panels/words.js";
import { handOver, recordingAmong } from "./net/handoff.js";

addEventListener("dragover", (event) => { if (event.dataTransfer?.types.includes("Files")) event.preventDefault(); });
addEventListener("drop", (event) => {
  const file = recordingAmong([...(event.dataTransfer?.files ?? [])]);
  if (!file) return;
  event.preventDefault();
  handOver(file);
});
