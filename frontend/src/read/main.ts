/** The reading room's page. */

import { speak } from "../words/say";
import { ReadingRoom } from "./room";

speak(document.documentElement.lang);
customElements.define("fovea-room", ReadingRoom);
