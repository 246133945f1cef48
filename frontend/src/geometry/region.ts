/** What is drawn on one frame: a protocol's answer, in DICOM's own pixel coordinates. */

/** Column and row (SCOORD, PS3.3 C.10.5.1.2): (0, 0) is the top left corner of the top left pixel. */
export type Point = readonly [number, number];

export const REGION_KINDS = [
  "point",
  "line",
  "bidirectional",
  "angle",
  "box",
  "ellipse",
  "polygon",
  "freehand",
] as const;

export type RegionKind = (typeof REGION_KINDS)[number];

export type RegionOrigin = "reader" | "suggestion" | "edited";

/**
 * points: point 1; line 2; bidirectional 4 (ends of the long axis, of the short one); angle 3 (arm, vertex, arm) or
 * 4 (Cobb: two lines); box 2 (opposite corners); ellipse 4 (ends of the major axis, of the minor one); polygon and
 * freehand at least 3, closed.
 */
export interface Region {
  readonly id: string;
  /** One of the question's labels. */
  readonly label: string;
  /** SOP Instance UID. */
  readonly image: string;
  /** Counted from 1. */
  readonly frame: number;
  readonly points: readonly Point[];
  readonly attributes: Readonly<Record<string, string | number | readonly string[]>>;
  readonly origin: RegionOrigin;
}

/** A region with what is needed to draw it. */
export interface DrawnRegion {
  /** Key of the question that it answers. */
  readonly question: string;
  readonly kind: RegionKind;
  /** CSS colour. */
  readonly colour: string;
  readonly region: Region;
}
