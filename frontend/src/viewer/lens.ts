/** A round lens over a pane: the picture's own pixels, larger, not the screen's. */

import { zoomedBy } from "../geometry/camera";
import type { Point } from "../geometry/region";
import { type Drag, following } from "./drag";
import type { Pane } from "./pane";
import { PlainSurface } from "./plain";

const DIAMETER = 190;
const LARGER = 2.5;

export const magnifying = (pane: Pane, from: Point): Drag | null => {
  const { picture, tone } = pane;
  if (!picture || !tone) return null;
  const lens = document.createElement("div");
  const inside = document.createElement("div");
  lens.className = "lens";
  inside.className = "surface";
  lens.append(inside);
  pane.element.append(lens);
  const surface = new PlainSurface(inside);
  void surface.show(picture, [], () => surface.tone(tone));

  const move = (place: Point): void => {
    const camera = zoomedBy(pane.camera, LARGER, place, picture.size, pane.size);
    surface.place(camera, picture.size, pane.size);
    inside.style.transform = `translate(${DIAMETER / 2 - place[0]}px, ${DIAMETER / 2 - place[1]}px)`;
    lens.style.transform = `translate(${place[0] - DIAMETER / 2}px, ${place[1] - DIAMETER / 2}px)`;
  };
  move(from);
  return following(move, () => lens.remove());
};
