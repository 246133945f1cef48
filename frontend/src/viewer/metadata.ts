/** A frame's attributes as Cornerstone3D's metadata modules. */

import { type FrameDescription, numberOf, numbersOf, pixelFormatOf, textOf } from "../images/frame";
import { windowOf } from "../images/pixels";

const descriptions = new Map<string, FrameDescription>();

export const describe = (frames: readonly FrameDescription[]): void => {
  for (const frame of frames) descriptions.set(frame.id, frame);
};

export const undescribe = (frameIds: readonly string[]): void => {
  for (const id of frameIds) descriptions.delete(id);
};

export const descriptionOf = (frameId: string): FrameDescription | undefined => descriptions.get(frameId);

/** Row spacing, column spacing: in mm in the patient, else at the detector, else only their ratio (PS3.3 10.7.1.3). */
export const spacingOf = ({ attributes }: FrameDescription): readonly [number, number] | undefined => {
  const spacing =
    numbersOf(attributes, "PixelSpacing") ??
    numbersOf(attributes, "ImagerPixelSpacing") ??
    numbersOf(attributes, "PixelAspectRatio");
  const [row, column] = spacing ?? [];
  return row && column ? [row, column] : undefined;
};

const imagePlane = (frame: FrameDescription): unknown => {
  const { attributes } = frame;
  const orientation = numbersOf(attributes, "ImageOrientationPatient");
  const [row, column] = spacingOf(frame) ?? [];
  return {
    rows: numberOf(attributes, "Rows"),
    columns: numberOf(attributes, "Columns"),
    frameOfReferenceUID: textOf(attributes, "FrameOfReferenceUID"),
    imageOrientationPatient: orientation,
    rowCosines: orientation?.slice(0, 3),
    columnCosines: orientation?.slice(3, 6),
    imagePositionPatient: numbersOf(attributes, "ImagePositionPatient"),
    rowPixelSpacing: row,
    columnPixelSpacing: column,
    sliceThickness: numberOf(attributes, "SliceThickness"),
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
  return { windowCenter: [window.center], windowWidth: [window.width], voiLUTFunction: "LINEAR" };
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
