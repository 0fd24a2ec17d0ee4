/** Compressing and hashing, by what the browser brings along. */

/** @param {string} text @returns {Promise<Blob>} */
export async function pack(text) {
  return new Response(new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"))).blob();
}

/** @param {Blob} blob @param {number} most bytes @returns {Promise<string|null>} null when it is larger @throws {TypeError} when it is not gzip */
export async function unpack(blob, most) {
  const reader = blob.stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  const parts = [];
  let size = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    size += part.value.length;
    if (size > most) {
      await reader.cancel();
      return null;
    }
    parts.push(part.value);
  }
  return new Blob(parts).text();
}

/** @param {string} text @returns {Promise<string>} SHA-256 in hex, "" where pages may not ask for it (plain HTTP) */
export async function hash(text) {
  if (!crypto.subtle) return "";
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
