import { describe, expect, it } from "vitest";
import { framesOf, lengthsOn, pixelSizeAt, pixelSizeOf } from "./frame";

const region = (more: Record<string, unknown> = {}) => ({
  RegionSpatialFormat: 1,
  RegionFlags: 0,
  RegionLocationMinX0: 10,
  RegionLocationMinY0: 0,
  RegionLocationMaxX1: 19,
  RegionLocationMaxY1: 9,
  PhysicalUnitsXDirection: 3,
  PhysicalUnitsYDirection: 3,
  PhysicalDeltaX: -0.05,
  PhysicalDeltaY: 0.2,
  ...more,
});

const frameWith = (...regions: Record<string, unknown>[]) => {
  const attributes = { PixelSpacing: [9, 9], SequenceOfUltrasoundRegions: regions };
  const [frame] = framesOf({
    id: "c",
    instances: [{ sop_instance_uid: "1.2", instance_number: 1, frames: 1, attributes }],
  });
  if (!frame) throw new Error("no frame");
  return frame;
};

describe("pixels of a calibrated ultrasound image", () => {
  it("have the size of the region that holds every point, in mm", () => {
    const size = pixelSizeAt(frameWith(region()), [
      [10, 0],
      [20, 10],
    ]);
    expect(size).toEqual({ row: 2, column: 0.5, of: "region" });
  });

  it("have none across regions and outside of them, whatever else is stated", () => {
    const frame = frameWith(region(), region({ RegionLocationMinX0: 0, RegionLocationMaxX1: 9 }));
    expect(
      pixelSizeAt(frame, [
        [15, 5],
        [5, 5],
      ]).of,
    ).toBe("pixels");
    expect(pixelSizeAt(frame, [[15, 10.1]]).of).toBe("pixels");
    expect(lengthsOn(frame)).toBe("region");
  });

  it("are measured by the region that lies on top", () => {
    const under = region({ RegionFlags: 1, PhysicalDeltaX: 9 });
    expect(pixelSizeAt(frameWith(under, region({ RegionFlags: 2 })), [[15, 5]]).column).toBe(0.5);
  });

  it.each([
    ["time runs along an axis", { PhysicalUnitsXDirection: 4 }],
    ["it shows a spectrum", { RegionSpatialFormat: 3 }],
    ["it states no size", { PhysicalDeltaY: 0 }],
    ["it has no corner", { RegionLocationMaxX1: undefined }],
  ])("are the image's own where a region is not spatial: %s", (_, more) => {
    const frame = frameWith(region(more));
    expect(pixelSizeAt(frame, [[15, 5]])).toEqual(pixelSizeOf(frame));
    expect(lengthsOn(frame)).toBe("patient");
  });
});
