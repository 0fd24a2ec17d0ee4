/** Where an object stands: cluster > namespace > workload > pod. */
import { shortName, titleOf } from "./describe.js";
import { byId, h } from "./dom.js";

/** @param {any} entity @param {import("../model/store.js").Store} store @param {(id: string) => void} select */
export function crumbs(entity, store, select) {
  const above = [entity.namespace ? `namespace:${entity.namespace}` : "", entity.kind === "pod" ? entity.workload : ""].filter((id) => id && store.entities.has(id));
  const link = (/** @type {string} */ id, /** @type {string} */ name, /** @type {string} */ title) => h("li", {}, h("button.plain", { title, testid: `crumb-${id ? id.split(":")[0] : "cluster"}`, onclick: () => select(id) }, name));
  return h("nav.crumbs", { "aria-label": "Where it stands", testid: "crumbs" }, h("ol", {}, link("", byId("dash").dataset.cluster ?? "", "The whole cluster"),
    above.map((id) => link(id, shortName(id), id)), h("li", { "aria-current": "location" }, titleOf(entity))));
}
