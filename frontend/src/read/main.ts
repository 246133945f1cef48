/** The reading room's page. */

import { ReadingRoom } from "./room";

customElements.define("fovea-room", ReadingRoom);
