/** The HTTP side of docs/protocol.md. Every failure is an Answer with words, never an exception. */

/** @typedef {{ok: boolean, status: number, body: any}} Answer */

/** @returns {string} */
function token() {
  return /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie)?.[1] ?? "";
}

/** @param {string} url @param {RequestInit} [options] @returns {Promise<Answer>} */
export async function ask(url, options = {}) {
  let response;
  try {
    response = await fetch(url, { credentials: "same-origin", ...options, headers: { Accept: "application/json", ...options.headers } });
  } catch {
    return { ok: false, status: 0, body: { error: "The server does not answer." } };
  }
  const body = await response.json().catch(() => ({ error: `The server answered ${response.status} without saying why.` }));
  return { ok: response.ok, status: response.status, body };
}

export class Api {
  /** @param {string} cluster */
  constructor(cluster) {
    this.base = `/clusters/${encodeURIComponent(cluster)}/`;
    /** @type {number|null} the moment that is asked about, null is now */
    this.at = null;
    /** @type {((question: Record<string, string>, trace: any) => void)|null} hears every trace that was answered */
    this.traced = null;
  }

  /** @param {Record<string, string>} question @returns {string} with the moment, unless a connection has its own */
  query(question) {
    return new URLSearchParams(this.at === null || question.connection ? question : { ...question, at: String(this.at) }).toString();
  }

  snapshot() {
    return ask(`${this.base}snapshot`);
  }

  /** Entities of a part of a large cluster. @param {{node?: string, workload?: string, namespace?: string, kind?: string, ids?: string, after?: string}} question */
  entities(question) {
    return ask(`${this.base}entities?${this.query(/** @type {Record<string, string>} */ (question))}`);
  }

  /** Who calls whom in a large cluster. @param {Record<string, string>} question `by`, and what it is narrowed to */
  sums(question) {
    return ask(`${this.base}sums?${this.query(question)}`);
  }

  /** Objects by name, address or label. @param {string} words */
  search(words) {
    return ask(`${this.base}search?${new URLSearchParams({ q: words })}`);
  }

  /** @param {string} id */
  object(id) {
    return ask(`${this.pathOf(id)}?${this.query({})}`);
  }

  /** What commands on a machine would print of it. @param {string} id @param {string} node of a Service: whose rules */
  texts(id, node) {
    return ask(`${this.pathOf(id)}/texts?${this.query(node ? { node } : {})}`);
  }

  /** @param {string} id */
  pathOf(id) {
    return `${this.base}objects/${id.split("/").map(encodeURIComponent).join("/")}`;
  }

  /** @param {Record<string, string>} question */
  async trace(question) {
    const answer = await ask(`${this.base}trace?${this.query(question)}`);
    if (answer.ok) this.traced?.(question, answer.body);
    return answer;
  }

  /** @param {Record<string, string>} question @returns {Promise<{id: string, label: string, href: string}[]>} where the traced packet passes */
  async captures(question) {
    const url = (/** @type {Record<string, string>} */ more) => `${this.base}capture?${this.query({ ...question, ...more })}`;
    const { ok, body } = await ask(url({}));
    return ok ? body.points.map((/** @type {any} */ point) => ({ id: point.id, label: point.label, href: url({ point: point.id }) })) : [];
  }

  settings() {
    return ask(`${this.base}settings`);
  }

  /** @param {Record<string, any>} changes by setting; null is the default */
  changeSettings(changes) {
    return this.post("settings", JSON.stringify({ changes }), { "Content-Type": "application/json" });
  }

  /** @param {Record<string, any>} action */
  async act(action) {
    if (this.at !== null) return { ok: false, status: 409, body: { error: "You look at the past: jump to now (l) before you change something." } };
    return this.post("actions", JSON.stringify(action), { "Content-Type": "application/json" });
  }

  /** Where the person who asks put things, by view. */
  layouts() {
    return ask(`${this.base}layouts`);
  }

  /** @param {string} view @param {Record<string, number[]>} places none forgets them */
  keepLayout(view, places) {
    const none = !Object.keys(places).length;
    return ask(`${this.base}layouts/${view}`, { method: none ? "DELETE" : "PUT", body: none ? undefined : JSON.stringify({ places }), headers: { "Content-Type": "application/json", "X-CSRFToken": token() } });
  }

  /** @param {File[]|string} source files, or pasted YAML @param {boolean} dryRun */
  importManifests(source, dryRun) {
    const path = `import${dryRun ? "?dry_run=1" : ""}`;
    if (typeof source === "string") return this.post(path, JSON.stringify({ yaml: source }), { "Content-Type": "application/json" });
    const form = new FormData();
    for (const file of source) form.append("file", file, file.name);
    return this.post(path, form, {});
  }

  /** @param {string} path @param {BodyInit} body @param {Record<string, string>} headers */
  post(path, body, headers) {
    return ask(this.base + path, { method: "POST", body, headers: { "X-CSRFToken": token(), ...headers } });
  }
}
