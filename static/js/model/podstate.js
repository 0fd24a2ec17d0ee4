/** What is the matter with a pod, in a word or two; "" when it is well. */

/** @param {any} pod @returns {{word: string, tone: ""|"pending"|"text-blocked"|"text-third"}} */
export function podState(pod) {
  if (pod.terminating) return { word: "terminating", tone: "text-third" };
  if (pod.phase === "Failed" || /BackOff|Err|OOM/.test(pod.reason ?? "")) return { word: pod.reason || "failed", tone: "text-blocked" };
  if (!pod.node) return { word: pod.reason || "pending", tone: "pending" };
  if (pod.phase === "Succeeded") return { word: "completed", tone: "text-third" };
  if (pod.phase !== "Running") return { word: "starting", tone: "pending" };
  return pod.ready ? { word: "", tone: "" } : { word: "not ready", tone: "pending" };
}
