/** The socket of a room: says who we are whenever it opens, and opens again with growing pauses. */
import { delay } from "./backoff.js";

/** Codes after which there is nothing to come back to. */
const OVER = new Set([4404, 4409, 4410]);

/** @typedef {{type: string} & Record<string, any>} Message */

export class RoomSocket {
  /**
   * @param {string} code
   * @param {{hello: () => Message|null, hear: (message: Message) => void, lost: () => void, over: () => void}} ears `hello` is the first word, null while there is none yet
   */
  constructor(code, ears) {
    this.url = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/rooms/${code}/`;
    this.ears = ears;
    this.tries = 0;
    /** @type {WebSocket|null} */
    this.socket = null;
    addEventListener("online", () => this.again());
    this.open();
  }

  open() {
    const socket = new WebSocket(this.url);
    this.socket = socket;
    socket.onopen = () => this.greet();
    socket.onmessage = (event) => {
      this.tries = 0;
      this.ears.hear(JSON.parse(event.data));
    };
    socket.onclose = (event) => this.closed(event.code);
  }

  greet() {
    const hello = this.ears.hello();
    if (hello) this.say(hello);
  }

  /** @param {number} code */
  closed(code) {
    this.socket = null;
    if (OVER.has(code)) return this.ears.over();
    this.ears.lost();
    this.timer = setTimeout(() => this.open(), delay(this.tries, Math.random()));
    this.tries += 1;
    return undefined;
  }

  /** The network is back: do not wait out the pause. */
  again() {
    if (this.socket) return;
    clearTimeout(this.timer);
    this.open();
  }

  /** @param {Message} message @returns {boolean} whether it could be sent */
  say(message) {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(message));
    return true;
  }
}

/** What makes this browser the teacher of a room, or a student who comes back; nothing else is kept. */
export const places = {
  /** @param {string} code @returns {{key?: string, token?: string}} */
  of(code) {
    return JSON.parse(localStorage.getItem(`clusterviz.room.${code}`) ?? "{}");
  },
  /** @param {string} code @param {{key?: string, token?: string}} place */
  keep(code, place) {
    localStorage.setItem(`clusterviz.room.${code}`, JSON.stringify(place));
  },
  /** @param {string} code */
  forget(code) {
    localStorage.removeItem(`clusterviz.room.${code}`);
  },
};
