/** The socket, nothing else: opens, resumes, pings, and opens again with growing pauses. */
import { delay } from "./backoff.js";
import { CLOSE_UNKNOWN_CLUSTER, read } from "./protocol.js";

const PING = 20000;
const SILENCE = 45000;

/** @typedef {{message: (message: any) => void, lost: () => void, gone: () => void, position: () => {epoch: number, seq: number}|null}} Ears */

export class Connection {
  /** @param {string} cluster @param {Ears} ears */
  constructor(cluster, ears) {
    this.url = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/clusters/${cluster}/`;
    this.ears = ears;
    this.tries = 0;
    this.received = 0;
    this.heard = 0;
    /** @type {WebSocket|null} */
    this.socket = null;
    setInterval(() => this.pulse(), PING);
    addEventListener("online", () => this.again());
    this.open();
  }

  open() {
    const socket = new WebSocket(this.url);
    this.socket = socket;
    socket.onopen = () => {
      this.heard = Date.now();
      const position = this.ears.position();
      if (position) this.send({ type: "resume", ...position });
      else this.send({ type: "subscribe", traffic: true });
    };
    socket.onmessage = (event) => this.hear(event.data);
    socket.onclose = (event) => this.closed(event.code);
  }

  /** @param {string} text */
  hear(text) {
    this.heard = Date.now();
    const message = read(text);
    if (!message) return;
    this.received += 1;
    if (message.type === "hello") this.tries = 0;
    this.ears.message(message);
  }

  /** @param {number} code */
  closed(code) {
    this.socket = null;
    if (code === CLOSE_UNKNOWN_CLUSTER) return this.ears.gone();
    this.ears.lost();
    this.timer = setTimeout(() => this.open(), delay(this.tries, Math.random()));
    this.tries += 1;
  }

  /** The network is back: do not wait out the pause. */
  again() {
    if (this.socket) return;
    clearTimeout(this.timer);
    this.open();
  }

  pulse() {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    if (Date.now() - this.heard > SILENCE) this.socket.close();
    else this.send({ type: "ping" });
  }

  /** @param {any} message */
  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }
}
