/** What must be known of a frame to show it: the stored attributes, checked and typed. */

import type { Attributes, CaseView, InstanceView } from "../api/types";

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

export interface PixelFormat {
  readonly rows: number;
  readonly columns: number;
  readonly samplesPerPixel: 1 | 3;
  readonly bitsAllocated: 8 | 16 | 32;
  readonly bitsStored: number;
  readonly signed: boolean;
}

export class UnreadableImage extends Error {
  constructor(rule: string) {
    super(rule);
    this.name = "UnreadableImage";
  }
}

/** One attribute's first number; undefined where it is absent. */
export const numberOf = (attributes: Attributes, keyword: string): number | undefined =>
  numbersOf(attributes, keyword)?.[0];

/** All numbers of an attribute; undefined where it is absent or not numeric. */
export const numbersOf = (attributes: Attributes, keyword: string): readonly number[] | undefined => {
  const value = attributes[keyword];
  const list = Array.isArray(value) ? value : [value];
  const isNumeric =
    list.length > 0 && list.every((item) => typeof item === "number" && Number.isFinite(item));
  return isNumeric ? (list as number[]) : undefined;
};

export const textOf = (attributes: Attributes, keyword: string): string | undefined => {
  const value = attributes[keyword];
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === "string" && first !== "" ? first : undefined;
};

const required = (attributes: Attributes, keyword: string): number => {
  const value = numberOf(attributes, keyword);
  if (value === undefined) throw new UnreadableImage(`${keyword} is absent: the image cannot be shown`);
  return value;
};

const oneOf = <T extends number>(keyword: string, value: number, allowed: readonly T[]): T => {
  const found = allowed.find((item) => item === value);
  if (found === undefined) throw new UnreadableImage(`${keyword} ${value} cannot be shown`);
  return found;
};

/** PS3.3 C.7.6.3: how a frame's bytes are laid out. */
export const pixelFormatOf = (attributes: Attributes): PixelFormat => {
  const bitsAllocated = oneOf("BitsAllocated", required(attributes, "BitsAllocated"), [8, 16, 32] as const);
  return {
    rows: required(attributes, "Rows"),
    columns: required(attributes, "Columns"),
    samplesPerPixel: oneOf("SamplesPerPixel", numberOf(attributes, "SamplesPerPixel") ?? 1, [1, 3] as const),
    bitsAllocated,
    bitsStored: numberOf(attributes, "BitsStored") ?? bitsAllocated,
    signed: numberOf(attributes, "PixelRepresentation") === 1,
  };
};

export const frameId = ({ caseId, sopInstanceUid, frame }: FrameAddress): string =>
  `fovea:${caseId}/${sopInstanceUid}/${frame}`;

const framesOfInstance = (caseId: string, instance: InstanceView): FrameDescription[] =>
  Array.from({ length: instance.frames }, (_, index) => {
    const address = { caseId, sopInstanceUid: instance.sop_instance_uid, frame: index + 1 };
    return { id: frameId(address), address, attributes: instance.attributes };
  });

/** All frames of a case in the order in which they are scrolled: as the server sorted its instances. */
export const framesOf = (view: CaseView): FrameDescription[] =>
  view.instances.flatMap((instance) => framesOfInstance(view.id, instance));

/** The frame that a case opens at: the middle of a series. */
export const openingIndex = (frames: readonly unknown[]): number => Math.floor((frames.length - 1) / 2);
