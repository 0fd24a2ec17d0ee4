/** Files that are made in the browser. */

/** @param {string} cluster @param {string} ending `.svg`, `-trace.md` @param {Date} [when] @returns {string} a name with cluster and time */
export function fileName(cluster, ending, when = new Date()) {
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  const day = `${when.getFullYear()}${two(when.getMonth() + 1)}${two(when.getDate())}`;
  return `${cluster.replace(/[^\w.-]+/g, "-")}-${day}-${two(when.getHours())}${two(when.getMinutes())}${two(when.getSeconds())}${ending}`;
}

/** @param {string} name @param {Blob} blob */
export function save(name, blob) {
  const url = URL.createObjectURL(blob);
  follow(url, name);
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/** @param {string} href @param {string} name */
export function follow(href, name) {
  const link = document.createElement("a");
  link.href = href;
  link.download = name;
  link.click();
}
