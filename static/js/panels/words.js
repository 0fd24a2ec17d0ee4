/** The page brings the words of its language. Imported first: other modules speak as soon as they begin. */
import { setWords } from "../model/words.js";

const words = document.querySelector('meta[name="words"]')?.getAttribute("content");
if (words) setWords(JSON.parse(words));
