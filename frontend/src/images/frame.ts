/** What must be known of a frame to show it: the stored attributes, checked and typed. */

import type { Attributes, CaseView, InstanceView } from "../api/types";
import { type PixelSize, SQUARE_PIXELS } from "../geometry/measure";
import { type ImagePlane, normalOf, positionAlong } from "../geometry/plane";
import type { Point } from "../geometry/region";
import { type DirectionLps, millimetres, pointLps } from "../geometry/units";
import { say } from "../words/say";
import { numberOf, numbersOf, textOf } from "./numbers";
import { calibratedRegionsOf, sizeWithin } from "./ultrasound";

export interface FrameAddress {
  readonly caseId: string;
  readonly sopInstanceUid: string;
  /** Counted from 1, as in DICOM. */
  readonly frame: number;
}

export interface FrameDescription {
  readonly id: string;
  readonly address: FrameAddress;
  readonly attributes: Attributes;
}

/** Where a frame is among others, from 0; -1 where it is not. frame: counted from 1. */
export const frameIndexOf = (frames: readonly FrameDescription[], image: string, frame: number): number =>
  frames.findIndex(({ address }) => address.sopInstanceUid === image && address.frame === frame);

export interface PixelFormat {
  readonly rows: number;
  readonly columns: number;
  readonly samplesPerPixel: 1 | 3;
  readonly bitsAllocated: 8 | 16 | 32 | 64;
  readonly bitsStored: number;
  readonly signed: boolean;
  /** Float or double float pixels: of 32 or 64 bits. */
  readonly isFloat: boolean;
}

export class UnreadableImage extends Error {
  /** rule: what does not hold, in DICOM's words. */
  constructor(rule: string) {
    super(say("image_unreadable", { words: rule }));
    this.name = "UnreadableImage";
  }
}

const required = (attributes: Attributes, keyword: string): number => {
  const value = numberOf(attributes, keyword);
  if (value === undefined) throw new UnreadableImage(`${keyword}: –`);
  return value;
};

const oneOf = <T extends number>(keyword: string, value: number, allowed: readonly T[]): T => {
  const found = allowed.find((item) => item === value);
  if (found === undefined) throw new UnreadableImage(`${keyword}: ${value}`);
  return found;
};

/** PS3.3 C.7.6.3: how a frame's bytes are laid out. */
export const pixelFormatOf = (attributes: Attributes): PixelFormat => {
  const bitsAllocated = oneOf("BitsAllocated", required(attributes, "BitsAllocated"), [
    8, 16, 32, 64,
  ] as const);
  return {
    rows: required(attributes, "Rows"),
    columns: required(attributes, "Columns"),
    samplesPerPixel: oneOf("SamplesPerPixel", numberOf(attributes, "SamplesPerPixel") ?? 1, [1, 3] as const),
    bitsAllocated,
    bitsStored: numberOf(attributes, "BitsStored") ?? bitsAllocated,
    signed: numberOf(attributes, "PixelRepresentation") === 1,
    isFloat: textOf(attributes, "PixelKeyword") !== undefined,
  };
};

export const frameId = ({ caseId, sopInstanceUid, frame }: FrameAddress): string =>
  `fovea:${caseId}/${sopInstanceUid}/${frame}`;

/** What holds for one frame: its own functional groups over those of the whole instance (PS3.3 C.7.6.16). */
const attributesOf = ({ attributes }: InstanceView, index: number): Attributes => {
  const { PerFrame: perFrame, ...shared } = attributes;
  const own: unknown = Array.isArray(perFrame) ? perFrame[index] : undefined;
  return typeof own === "object" && own !== null ? { ...shared, ...own } : shared;
};

const framesOfInstance = (caseId: string, instance: InstanceView): FrameDescription[] =>
  Array.from({ length: instance.frames }, (_, index) => {
    const address = { caseId, sopInstanceUid: instance.sop_instance_uid, frame: index + 1 };
    return { id: frameId(address), address, attributes: attributesOf(instance, index) };
  });

/** What a case's frames are made from. */
export type Imaged = Pick<CaseView, "id" | "instances">;

/** All frames of a case in the order in which they are scrolled: as the server sorted its instances, frames by position. */
export const framesOf = ({ id, instances }: Imaged): FrameDescription[] =>
  inOrderOfPosition(instances.flatMap((instance) => framesOfInstance(id, instance)));

/** Frames of one instance that lie in different places; a film's lie in one, and single frames were sorted already. */
const inOrderOfPosition = (frames: FrameDescription[]): FrameDescription[] => {
  const [first, second] = frames;
  const isOneInstance = second && first?.address.sopInstanceUid === second.address.sopInstanceUid;
  const distances = isOneInstance ? distancesOf(frames) : undefined;
  if (!distances || new Set(distances.values()).size !== frames.length) return frames;
  return [...frames].sort((a, b) => (distances.get(a.id) ?? 0) - (distances.get(b.id) ?? 0));
};

/** Each frame's distance along the first one's normal; undefined where one has no position. */
const distancesOf = (frames: readonly FrameDescription[]): ReadonlyMap<string, number> | undefined => {
  const planes = frames.map(planeOf);
  const [first] = planes;
  if (!first || planes.includes(undefined)) return undefined;
  const normal = normalOf(first);
  return new Map(frames.map(({ id }, nth) => [id, positionAlong(planes[nth] ?? first, normal)]));
};

/** Where a frame lies in the patient; undefined where that is not known in full. */
export const planeOf = ({ attributes }: FrameDescription): ImagePlane | undefined => {
  const [x, y, z] = numbersOf(attributes, "ImagePositionPatient") ?? [];
  const orientation = numbersOf(attributes, "ImageOrientationPatient");
  const [row, column] = numbersOf(attributes, "PixelSpacing") ?? [];
  if (z === undefined || x === undefined || y === undefined || orientation?.length !== 6) return undefined;
  if (!row || !column) return undefined;
  return {
    origin: pointLps(x, y, z),
    alongRow: orientation.slice(0, 3) as unknown as DirectionLps,
    alongColumn: orientation.slice(3, 6) as unknown as DirectionLps,
    columnSpacing: millimetres(column),
    rowSpacing: millimetres(row),
  };
};

/** What one pixel measures: PixelSpacing, else ImagerPixelSpacing at the detector, else nothing (PS3.3 10.7.1.3: row first). */
export const pixelSizeOf = ({ attributes }: FrameDescription): PixelSize => {
  const [row, column] = numbersOf(attributes, "PixelSpacing") ?? [];
  if (row && column) return { row, column, of: "patient" };
  const [imagerRow, imagerColumn] = numbersOf(attributes, "ImagerPixelSpacing") ?? [];
  if (imagerRow && imagerColumn) return { row: imagerRow, column: imagerColumn, of: "detector" };
  return SQUARE_PIXELS;
};

/** What the pixels under points measure: on calibrated ultrasound, by the region that holds them all. */
export const pixelSizeAt = (frame: FrameDescription, points: readonly Point[]): PixelSize => {
  const regions = calibratedRegionsOf(frame.attributes);
  return regions.length > 0 ? sizeWithin(regions, points) : pixelSizeOf(frame);
};

/** What lengths on a frame are in; "region": in mm inside its calibrated regions, in pixels elsewhere. */
export const lengthsOn = (frame: FrameDescription): PixelSize["of"] =>
  calibratedRegionsOf(frame.attributes).length > 0 ? "region" : pixelSizeOf(frame).of;

/** Row and column spacing to show a frame in its proportions: mm, else only their ratio. */
export const shownSpacingOf = (frame: FrameDescription): readonly [number, number] => {
  const size = pixelSizeOf(frame);
  if (size.of !== "pixels") return [size.row, size.column];
  const [vertical, horizontal] = numbersOf(frame.attributes, "PixelAspectRatio") ?? [];
  return vertical && horizontal ? [vertical, horizontal] : [1, 1];
};

/** The name of a frame in answers: its instance, and "#frame" where the instance has several. */
export const imageKeyOf = ({ address, attributes }: FrameDescription): string =>
  (numberOf(attributes, "NumberOfFrames") ?? 1) > 1
    ? `${address.sopInstanceUid}#${address.frame}`
    : address.sopInstanceUid;

const USUAL_FRAMES_PER_SECOND = 15;

/** How fast frames of a film follow each other; null where they are not a film (PS3.3 C.7.6.5, C.8.12.5). */
export const framesPerSecondOf = (frames: readonly FrameDescription[]): number | null => {
  const [first, second] = frames;
  if (!first || first.address.sopInstanceUid !== second?.address.sopInstanceUid) return null;
  if (planeOf(first)?.origin.join() !== planeOf(second)?.origin.join()) return null;
  const rate =
    numberOf(first.attributes, "RecommendedDisplayFrameRate") ?? numberOf(first.attributes, "CineRate");
  const milliseconds =
    numberOf(first.attributes, "FrameTime") ?? numbersOf(first.attributes, "FrameTimeVector")?.[1];
  if (rate) return rate;
  return milliseconds ? 1000 / milliseconds : USUAL_FRAMES_PER_SECOND;
};

/** The frame that a case opens at: the middle of a series. */
export const openingIndex = (frames: readonly unknown[]): number => Math.floor((frames.length - 1) / 2);
