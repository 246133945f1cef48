/** Decoded frames as Cornerstone3D images. */

import { Enums, type Types, utilities } from "@cornerstonejs/core";
import { type FrameDescription, shownSpacingOf } from "../images/frame";
import type { DecodedFrame } from "../images/pixels";
import type { FrameStore } from "../images/store";
import { descriptionOf } from "./metadata";

const voxels = (frame: DecodedFrame): Types.IVoxelManager<number> | Types.IVoxelManager<Types.RGB> =>
  utilities.VoxelManager.createImageVoxelManager({
    scalarData: frame.display as Types.PixelDataTypedArray,
    width: frame.format.columns,
    height: frame.format.rows,
    numberOfComponents: frame.format.samplesPerPixel,
  });

const size = ({ format }: DecodedFrame) => ({
  rows: format.rows,
  columns: format.columns,
  height: format.rows,
  width: format.columns,
});

/** Values are modality values (or display values, behind a VOI LUT) already: slope 1, intercept 0. */
export const toImage = (description: FrameDescription, frame: DecodedFrame): Types.IImage => {
  const [rowPixelSpacing, columnPixelSpacing] = shownSpacingOf(description);
  const isColour = frame.format.samplesPerPixel === 3;
  const samples = frame.display as Types.PixelDataTypedArray;
  return {
    ...size(frame),
    imageId: description.id,
    minPixelValue: frame.extent.lowest,
    maxPixelValue: frame.extent.highest,
    slope: 1,
    intercept: 0,
    windowCenter: frame.window.center,
    // A first window of width 1 has one end alone, and no slope could be set after it.
    windowWidth: Math.max(2, frame.window.width),
    voiLUTFunction: Enums.VOILUTFunctionType.LINEAR,
    getPixelData: () => samples,
    getCanvas: () => document.createElement("canvas"),
    color: isColour,
    rgba: false,
    numberOfComponents: frame.format.samplesPerPixel,
    columnPixelSpacing,
    rowPixelSpacing,
    invert: false,
    sizeInBytes: frame.bytes,
    dataType: samples.constructor.name as Types.PixelDataTypedArrayString,
    voxelManager: voxels(frame),
  };
};

/** The image loader of our frame ids: bytes come from the store, which may hold them already. */
export const loaderFor =
  (store: FrameStore) =>
  (frameId: string): { promise: Promise<Types.IImage> } => {
    const description = descriptionOf(frameId);
    if (!description) return { promise: Promise.reject(new Error(`${frameId} was never described`)) };
    return { promise: store.get(description).then((frame) => toImage(description, frame)) };
  };
