/** What of a region is under a place on the screen. */

import { type Affine, apply } from "../geometry/affine";
import { distanceToPath, pathsOf } from "../geometry/outline";
import type { DrawnRegion, Point } from "../geometry/region";
import { handlesOf } from "../geometry/shaping";

/** CSS pixels: half of what a finger or a tremor needs (WCAG 2.5.8 asks for 24 across). */
export const HANDLE_REACH = 12;
const LINE_REACH = 8;

/** The handle within reach, -1 for the line, null for neither. matrix: from the frame to the screen. */
export const grabbed = ({ kind, region }: DrawnRegion, matrix: Affine, place: Point): number | null => {
  const far = (point: Point): number => {
    const [x, y] = apply(matrix, point);
    return Math.hypot(x - place[0], y - place[1]);
  };
  const distances = handlesOf(kind, region.points).map(far);
  const nearest = Math.min(Number.POSITIVE_INFINITY, ...distances);
  if (nearest <= HANDLE_REACH) return distances.indexOf(nearest);
  const lines = pathsOf(kind, region.points).map((path) => ({
    ...path,
    points: path.points.map((point) => apply(matrix, point)),
  }));
  return lines.some((path) => distanceToPath(place, path) <= LINE_REACH) ? -1 : null;
};
