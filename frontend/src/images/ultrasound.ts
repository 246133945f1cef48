/** Parts of an ultrasound image whose pixels have a size of their own: PS3.3 C.8.5.5. */

import type { Attributes } from "../api/types";
import { type PixelSize, SQUARE_PIXELS } from "../geometry/measure";
import type { Point } from "../geometry/region";
import { numberOf } from "./numbers";

export interface CalibratedRegion {
  /** Its corners, as points of regions are. */
  readonly first: Point;
  readonly last: Point;
  readonly size: PixelSize;
}

const TWO_DIMENSIONAL = 1;
const CENTIMETRES = 3;
const MM_PER_CM = 10;
const LOW_PRIORITY = 1;

const regionOf = (region: Attributes): CalibratedRegion | undefined => {
  const of = (keyword: string): number | undefined => numberOf(region, keyword);
  const corners = ["MinX0", "MinY0", "MaxX1", "MaxY1"].map((corner) => of(`RegionLocation${corner}`));
  const [left, top, right, bottom] = corners;
  // A delta is negative where the axis grows the other way.
  const [across, down] = [Math.abs(of("PhysicalDeltaX") ?? 0), Math.abs(of("PhysicalDeltaY") ?? 0)];
  const isInCentimetres = ["X", "Y"].every((axis) => of(`PhysicalUnits${axis}Direction`) === CENTIMETRES);
  const isSpatial =
    of("RegionSpatialFormat") === TWO_DIMENSIONAL && isInCentimetres && across > 0 && down > 0;
  if (!isSpatial || left === undefined || top === undefined) return undefined;
  if (right === undefined || bottom === undefined) return undefined;
  const size = { row: down * MM_PER_CM, column: across * MM_PER_CM, of: "region" } as const;
  return { first: [left, top], last: [right + 1, bottom + 1], size };
};

/** Two-dimensional regions calibrated in cm, the topmost first; spectra and M-mode show time along an axis. */
export const calibratedRegionsOf = ({
  SequenceOfUltrasoundRegions: found,
}: Attributes): CalibratedRegion[] => {
  const regions = (Array.isArray(found) ? found : []) as readonly Attributes[];
  const priority = (region: Attributes): number => (numberOf(region, "RegionFlags") ?? 0) & LOW_PRIORITY;
  return [...regions]
    .sort((a, b) => priority(a) - priority(b))
    .map(regionOf)
    .filter((region) => region !== undefined);
};

const holds = ({ first, last }: CalibratedRegion, [x, y]: Point): boolean =>
  first[0] <= x && x <= last[0] && first[1] <= y && y <= last[1];

/** The size of the region that holds all points: across regions and outside of them none is known. */
export const sizeWithin = (regions: readonly CalibratedRegion[], points: readonly Point[]): PixelSize =>
  regions.find((region) => points.every((point) => holds(region, point)))?.size ?? SQUARE_PIXELS;
