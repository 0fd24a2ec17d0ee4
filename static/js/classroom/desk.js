/** The teacher's own screen: notes, what comes next, who is here, who is lost. Students and the wall never see it. */
import "../panels/words.js";
import { t } from "../model/words.js";
import { RoomSocket, places } from "../net/room.js";
import { Desk } from "../panels/desk.js";
import { byId } from "../panels/dom.js";
import { toast } from "../panels/toasts.js";

const page = byId("desk").dataset;
const code = /** @type {string} */ (page.room);
const { key } = places.of(code);
const desk = new Desk({ say: (message) => { if (!socket.say(message)) toast("The room does not answer; try again.", "bad"); }, url: page.url ?? "", list: page.list ?? "" });
const socket = new RoomSocket(code, {
  hello: () => (key ? { type: "teach", key } : null),
  hear: (message) => (message.type === "error" ? toast(message.message, "bad") : desk.hear(message)),
  lost: () => desk.word(t("The connection is lost; this is tried again.")),
  over: () => { places.forget(code); desk.hear({ type: "closed", message: t("The room is closed. Nothing of it is kept.") }); },
});
if (!key) desk.word(t("This browser did not open the room: its desk belongs to the teacher."));

addEventListener("keydown", (event) => {
  if (event.target instanceof HTMLInputElement) return;
  const turn = event.key === "PageDown" || event.key === "ArrowRight" ? "forward" : event.key === "PageUp" || event.key === "ArrowLeft" ? "back" : "";
  if (!turn) return;
  event.preventDefault();
  socket.say({ type: "turn", turn });
});
Object.assign(window, { clusterviz: { ready: Promise.resolve() } });
