/** The past of a cluster by HTTP: JSON lines, kept as they came so that a recording holds the very same bytes. */

/**
 * One line: the text as it came, and what it says.
 * @typedef {{text: string, type: "keyframe"|"state"|"traffic"|"trace"|"recording", time: number, message: any}} Line
 * @typedef {{now: number, oldest: number|null, gap: boolean, more: boolean, last: number, lines: Line[]}} Piece
 * @typedef {[number, number, number, number, number, boolean]} Bucket second, delivered, refused, dropped, warnings, watched
 * @typedef {{now: number, oldest: number|null, seconds: number, cap: number, capped: boolean, size: number, buckets: Bucket[]}} Summary
 */

/** @param {string} text @returns {Line} @throws {SyntaxError} when it is not JSON */
export function lineOf(text) {
  const message = JSON.parse(text);
  return { text, type: message.type, time: message.type === "keyframe" ? message.snapshot.time : message.time, message };
}

export class Past {
  /** @param {string} cluster */
  constructor(cluster) {
    this.base = `/clusters/${encodeURIComponent(cluster)}/history`;
  }

  /** @returns {Promise<Summary|null>} */
  async summary() {
    const response = await this.ask({});
    return response?.json().catch(() => null) ?? null;
  }

  /** From the keyframe before a moment. @param {number} from @param {number} to @returns {Promise<Piece|null>} */
  piece(from, to) {
    return this.read({ from: String(from), to: String(to) });
  }

  /** What follows a piece. @param {number} last @param {number} to @returns {Promise<Piece|null>} */
  after(last, to) {
    return this.read({ after: String(last), to: String(to) });
  }

  /** @param {Record<string, string>} query @returns {Promise<Piece|null>} */
  async read(query) {
    const response = await this.ask(query);
    const text = await response?.text().catch(() => "");
    if (!text) return null;
    const [head, ...lines] = text.trimEnd().split("\n");
    return { ...JSON.parse(head), lines: lines.map(lineOf) };
  }

  /** @param {Record<string, string>} query @returns {Promise<Response|null>} */
  async ask(query) {
    try {
      const response = await fetch(`${this.base}?${new URLSearchParams(query)}`, { credentials: "same-origin" });
      return response.ok ? response : null;
    } catch {
      return null;
    }
  }
}
