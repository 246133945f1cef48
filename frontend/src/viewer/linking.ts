/** Two series scrolled together: by place in the patient where both are of one frame of reference, else in step. */

import { normalOf, positionAlong } from "../geometry/plane";
import { type FrameDescription, planeOf } from "../images/frame";
import { textOf } from "../images/numbers";

/** Frames of two series that were shown side by side. */
export interface Link {
  readonly from: number;
  readonly to: number;
}

const share = <T>(
  frames: readonly FrameDescription[],
  get: (frame: FrameDescription) => T,
): T | undefined => {
  const [first] = frames;
  return first && get(first);
};

/** mm of each frame along the first series' normal; undefined where one has no position. */
const positions = (
  frames: readonly FrameDescription[],
  reference: readonly FrameDescription[],
): readonly number[] | undefined => {
  const plane = share(reference, planeOf);
  const planes = frames.map(planeOf);
  if (!plane || planes.includes(undefined)) return undefined;
  const normal = normalOf(plane);
  return planes.map((one) => positionAlong(one ?? plane, normal));
};

const nearest = (values: readonly number[], wanted: number): number =>
  values.reduce(
    (best, value, nth) => (Math.abs(value - wanted) < Math.abs((values[best] ?? 0) - wanted) ? nth : best),
    0,
  );

const haveOneReference = (a: readonly FrameDescription[], b: readonly FrameDescription[]): boolean => {
  const of = (frames: readonly FrameDescription[]): string | undefined =>
    share(frames, ({ attributes }) => textOf(attributes, "FrameOfReferenceUID"));
  return of(a) !== undefined && of(a) === of(b);
};

/** The other series' frame for a frame of this one, given one pair that belongs together. */
export const linkedIndex = (
  here: readonly FrameDescription[],
  there: readonly FrameDescription[],
  index: number,
  link: Link,
): number => {
  const [mine, others] = [positions(here, here), positions(there, here)];
  if (!mine || !others) return Math.min(there.length - 1, Math.max(0, link.to + index - link.from));
  const offset = haveOneReference(here, there) ? 0 : (others[link.to] ?? 0) - (mine[link.from] ?? 0);
  return nearest(others, (mine[index] ?? 0) + offset);
};
