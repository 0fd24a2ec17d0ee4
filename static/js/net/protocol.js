/** Every message of the websocket; the same list as clusterviz/live/protocol.py. */

export const PROTOCOL = 1;

/** Server to browser: type -> fields. */
export const SERVER = {
  hello: ["cluster", "epoch", "seq", "time", "editor", "resumed", "protocol"],
  state: ["epoch", "seq", "base", "time", "set", "unset", "events", "mass"],
  traffic: ["epoch", "seq", "time", "routes", "calls", "totals", "mass"],
  resync: ["reason"],
  pong: ["time"],
  error: ["code", "message"],
};

/** Browser to server: type -> fields. */
export const BROWSER = {
  resume: ["epoch", "seq"],
  ping: [],
  subscribe: ["traffic"],
  watch: ["ids"],
};

/** Closed for good: this cluster does not exist. */
export const CLOSE_UNKNOWN_CLUSTER = 4404;

/**
 * @param {string} text
 * @returns {any|null} the message when it has a known type and all its fields
 */
export function read(text) {
  let message;
  try {
    message = JSON.parse(text);
  } catch {
    return null;
  }
  if (!message || !Object.hasOwn(SERVER, message.type)) return null;
  const fields = SERVER[/** @type {keyof typeof SERVER} */ (message.type)];
  return fields.every((field) => field in message) ? message : null;
}
