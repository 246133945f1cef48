import { describe, expect, it } from "vitest";
import { inWords, measuresOf, type PixelSize, statisticsOf } from "./measure";
import { outlineOf, simplified } from "./outline";
import type { Point } from "./region";
import {
  followed,
  isComplete,
  isTooSmall,
  pinned,
  pointsOf,
  settled,
  started,
  withHandleAt,
} from "./shaping";

// Rows 2 mm apart, columns 0.5 mm.
const size: PixelSize = { row: 2, column: 0.5, of: "patient" };

describe("measures", () => {
  it("use row spacing down and column spacing across", () => {
    expect(
      measuresOf(
        "line",
        [
          [0, 0],
          [6, 2],
        ],
        size,
      ).length,
    ).toBeCloseTo(5, 12);
  });

  it("measure angles in mm, not in pixels", () => {
    expect(
      measuresOf(
        "angle",
        [
          [4, 0],
          [0, 0],
          [4, 1],
        ],
        size,
      ).degrees,
    ).toBeCloseTo(45, 12);
    expect(
      measuresOf(
        "angle",
        [
          [0, 0],
          [4, 0],
          [0, 5],
          [4, 6],
        ],
        size,
      ).degrees,
    ).toBeCloseTo(45, 12);
  });

  it("take the smaller of the two angles between lines, whichever way they were drawn", () => {
    expect(
      measuresOf(
        "angle",
        [
          [4, 0],
          [0, 0],
          [0, 5],
          [4, 6],
        ],
        size,
      ).degrees,
    ).toBeCloseTo(45, 12);
  });

  it("measure areas and outlines", () => {
    expect(
      measuresOf(
        "box",
        [
          [10, 10],
          [2, 4],
        ],
        size,
      ),
    ).toEqual({ area: 48, perimeter: 32 });
    const circle = measuresOf(
      "ellipse",
      [
        [0, 5],
        [16, 5],
        [8, 3],
        [8, 7],
      ],
      size,
    );
    expect(circle.area).toBeCloseTo(16 * Math.PI, 9);
    expect(circle.perimeter).toBeCloseTo(8 * Math.PI, 9);
    expect(
      measuresOf(
        "polygon",
        [
          [0, 0],
          [8, 0],
          [0, 2],
        ],
        size,
      ).area,
    ).toBeCloseTo(8, 12);
  });

  it("take the pixels whose centre is inside", () => {
    const samples = Float32Array.from({ length: 16 }, (_, place) => place);
    const found = statisticsOf(
      "box",
      [
        [1, 1],
        [3, 3],
      ],
      samples,
      4,
      4,
    );
    expect(found).toEqual({ mean: 7.5, deviation: Math.sqrt(4.25), min: 5, max: 10 });
    expect(
      statisticsOf(
        "box",
        [
          [1.1, 1.1],
          [1.2, 1.2],
        ],
        samples,
        4,
        4,
      ),
    ).toBeUndefined();
  });

  it("say what they are lengths of", () => {
    const line: Point[] = [
      [0, 0],
      [6, 2],
    ];
    expect(inWords(measuresOf("line", line, size), size)).toBe("5.0 mm");
    expect(inWords(measuresOf("line", line, { ...size, of: "detector" }), { ...size, of: "detector" })).toBe(
      "5.0 mm at the detector",
    );
    const square: PixelSize = { row: 1, column: 1, of: "pixels" };
    expect(
      inWords(
        measuresOf(
          "box",
          [
            [0, 0],
            [3, 4],
          ],
          square,
        ),
        square,
      ),
    ).toBe("12.0 px²");
  });
});

describe("a drawing", () => {
  it("makes a box of one drag", () => {
    const drawn = pinned(followed(started("box", false, [3, 4]), [8, 6]));
    expect([isComplete(drawn), pointsOf(drawn, size)]).toEqual([
      true,
      [
        [3, 4],
        [8, 6],
      ],
    ]);
  });

  it("puts the axis first that is longer in mm", () => {
    const drawn = pinned(followed(started("ellipse", false, [0, 0]), [8, 4]));
    expect(pointsOf(drawn, size)).toEqual([
      [4, 0],
      [4, 4],
      [0, 2],
      [8, 2],
    ]);
  });

  it("crosses a long axis at right angles in mm", () => {
    const drawn = pinned(followed(started("bidirectional", false, [0, 0]), [8, 2]));
    const points = pointsOf(drawn, size);
    const found = measuresOf("bidirectional", points, size);
    expect(found.longAxis).toBeCloseTo(Math.sqrt(32), 12);
    expect(found.shortAxis).toBeCloseTo(0.6 * Math.sqrt(32), 12);
    expect(measuresOf("angle", points, size).degrees).toBeCloseTo(90, 9);
  });

  it("keeps the short axis at right angles when an end is moved, and turns the longer one to the front", () => {
    const points: Point[] = [
      [0, 0],
      [40, 0],
      [20, 2],
      [20, -2],
    ];
    const turned = withHandleAt("bidirectional", points, 1, [40, 5], size);
    expect(measuresOf("angle", turned, size).degrees).toBeCloseTo(90, 9);
    expect(measuresOf("bidirectional", turned, size).shortAxis).toBeCloseTo(8, 9);
    const grown = settled("bidirectional", withHandleAt("bidirectional", points, 2, [20, 12], size), size);
    expect(measuresOf("bidirectional", grown, size)).toEqual({ longAxis: 28, shortAxis: 20 });
  });

  it("keeps an ellipse's centre and its other axis when an end is moved", () => {
    const points: Point[] = [
      [0, 5],
      [16, 5],
      [8, 4],
      [8, 6],
    ];
    const moved = withHandleAt("ellipse", points, 1, [20, 5], size);
    expect(moved).toEqual([
      [-4, 5],
      [20, 5],
      [8, 4],
      [8, 6],
    ]);
  });

  it("closes an outline that runs exactly where the ellipse does", () => {
    const outline = outlineOf("ellipse", [
      [0, 5],
      [16, 5],
      [8, 3],
      [8, 7],
    ]);
    for (const [x, y] of outline) expect(((x - 8) / 8) ** 2 + ((y - 5) / 2) ** 2).toBeCloseTo(1, 9);
  });

  it("drops the points of a freehand line that change nothing", () => {
    const line: Point[] = Array.from({ length: 50 }, (_, x) => [x, x < 25 ? 0 : x - 24] as const);
    expect(simplified(line, 0.01)).toEqual([
      [0, 0],
      [24, 0],
      [49, 25],
    ]);
  });

  it.each([
    [
      "a box without a height",
      "box",
      [
        [0, 0],
        [9, 0.2],
      ],
    ],
    [
      "a line of one place",
      "line",
      [
        [3, 3],
        [3.1, 3],
      ],
    ],
    [
      "an angle with an arm of no length",
      "angle",
      [
        [0, 0],
        [4, 4],
        [4, 4],
      ],
    ],
    [
      "a polygon of two places",
      "polygon",
      [
        [0, 0],
        [4, 4],
      ],
    ],
    [
      "an ellipse without a minor axis",
      "ellipse",
      [
        [0, 0],
        [9, 0],
        [4, 0],
        [4, 0.1],
      ],
    ],
  ] as const)("is refused as a click: %s", (_, kind, points) => {
    expect(isTooSmall(kind, points, 0.5)).toBe(true);
  });

  it("is taken where it has an extent", () => {
    expect(
      isTooSmall(
        "box",
        [
          [0, 0],
          [9, 1],
        ],
        0.5,
      ),
    ).toBe(false);
    expect(
      isTooSmall(
        "angle",
        [
          [0, 0],
          [4, 4],
          [9, 4],
        ],
        0.5,
      ),
    ).toBe(false);
  });
});
