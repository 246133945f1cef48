/** A frame's attributes as Cornerstone3D's metadata modules. */

import { type FrameDescription, pixelFormatOf, shownSpacingOf } from "../images/frame";
import { numberOf, textOf } from "../images/numbers";
import { windowOf } from "../images/pixels";

const descriptions = new Map<string, FrameDescription>();

export const describe = (frames: readonly FrameDescription[]): void => {
  for (const frame of frames) descriptions.set(frame.id, frame);
};

export const undescribe = (frameIds: readonly string[]): void => {
  for (const id of frameIds) descriptions.delete(id);
};

/** Forget all frames but these: a case whose frames were never fetched leaves nothing behind. */
export const describeOnly = (frames: readonly FrameDescription[]): void => {
  const kept = new Set(frames.map(({ id }) => id));
  for (const id of descriptions.keys()) if (!kept.has(id)) descriptions.delete(id);
  describe(frames);
};

export const descriptionOf = (frameId: string): FrameDescription | undefined => descriptions.get(frameId);

/** All frames lie in one plane of Cornerstone3D's world: where they lie in the patient is ours to know (geometry/). */
const imagePlane = (frame: FrameDescription): unknown => {
  const [row, column] = shownSpacingOf(frame);
  return {
    rows: numberOf(frame.attributes, "Rows"),
    columns: numberOf(frame.attributes, "Columns"),
    frameOfReferenceUID: "screen",
    imageOrientationPatient: [1, 0, 0, 0, 1, 0],
    rowCosines: [1, 0, 0],
    columnCosines: [0, 1, 0],
    imagePositionPatient: [0, 0, 0],
    rowPixelSpacing: row,
    columnPixelSpacing: column,
  };
};

const imagePixel = ({ attributes }: FrameDescription): unknown => {
  const format = pixelFormatOf(attributes);
  return {
    samplesPerPixel: format.samplesPerPixel,
    photometricInterpretation:
      format.samplesPerPixel === 3 ? "RGB" : textOf(attributes, "PhotometricInterpretation"),
    rows: format.rows,
    columns: format.columns,
    bitsAllocated: format.bitsAllocated,
    bitsStored: format.bitsStored,
    highBit: format.bitsStored - 1,
    pixelRepresentation: format.signed ? 1 : 0,
  };
};

const voiLut = ({ attributes }: FrameDescription): unknown => {
  const window = windowOf(attributes, pixelFormatOf(attributes), { lowest: 0, highest: 255 });
  return {
    windowCenter: [window.center],
    windowWidth: [Math.max(2, window.width)],
    voiLUTFunction: "LINEAR",
  };
};

const generalSeries = ({ attributes }: FrameDescription): unknown => ({
  modality: textOf(attributes, "Modality") ?? "OT",
  seriesInstanceUID: textOf(attributes, "SeriesInstanceUID"),
  studyInstanceUID: textOf(attributes, "StudyInstanceUID"),
});

const modules: Readonly<Record<string, (frame: FrameDescription) => unknown>> = {
  imagePlaneModule: imagePlane,
  imagePixelModule: imagePixel,
  voiLutModule: voiLut,
  generalSeriesModule: generalSeries,
};

/** Cornerstone3D's question; undefined leaves the answer to another provider. */
export const provide = (type: string, id: string): unknown => {
  const frame = descriptions.get(id);
  return frame && modules[type]?.(frame);
};
