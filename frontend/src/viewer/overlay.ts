/** Regions as SVG over a pane. */

import { type Affine, apply } from "../geometry/affine";
import type { CanvasSize } from "../geometry/camera";
import { type Path, pathsOf } from "../geometry/outline";
import type { Point, RegionKind } from "../geometry/region";
import { handlesOf } from "../geometry/shaping";

const SVG = "http://www.w3.org/2000/svg";
const HANDLE = 4.5;
/** Half the cross of a point or of the cursor. */
const CROSS = 8;

export interface Drawing {
  readonly id: string;
  readonly kind: RegionKind;
  readonly points: readonly Point[];
  readonly colour: string;
  readonly words: string;
  readonly state: "region" | "selected" | "sketch" | "suggestion";
}

const node = (name: string, attributes: Readonly<Record<string, string | number>>): SVGElement => {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
};

const pathText = ({ points, isClosed }: Path, matrix: Affine): string =>
  points
    .map((point) => apply(matrix, point).map((value) => value.toFixed(2)))
    .map(([x, y], nth) => `${nth === 0 ? "M" : "L"}${x} ${y}`)
    .join("") + (isClosed ? "Z" : "");

const crossText = ([x, y]: Point): string =>
  `M${x - CROSS} ${y}H${x - 2}M${x + 2} ${y}H${x + CROSS}M${x} ${y - CROSS}V${y - 2}M${x} ${y + 2}V${y + CROSS}`;

const lineText = ({ kind, points }: Drawing, matrix: Affine): string => {
  const [first] = points;
  if (kind === "point" && first) return crossText(apply(matrix, first));
  return pathsOf(kind, points)
    .map((path) => pathText(path, matrix))
    .join("");
};

/** Of the font that viewer.css gives them. */
const LETTER_WIDTH = 7.3;
const WORDS_HEIGHT = 16;

/** Beside the lowest point, where it covers least of what is measured, and inside the pane. */
const wordsPlace = ({ points, words }: Drawing, matrix: Affine, { width, height }: CanvasSize): Point => {
  const places = points.map((point) => apply(matrix, point));
  const [first] = places;
  const lowest = places.reduce((low, place) => (place[1] > low[1] ? place : low), first ?? [0, 0]);
  return [
    Math.max(4, Math.min(lowest[0] + 8, width - 4 - words.length * LETTER_WIDTH)),
    Math.max(WORDS_HEIGHT, Math.min(lowest[1] + WORDS_HEIGHT, height - 6)),
  ];
};

const wordsNode = (drawing: Drawing, matrix: Affine, size: CanvasSize): SVGElement[] => {
  if (!drawing.words) return [];
  const [x, y] = wordsPlace(drawing, matrix, size);
  const text = node("text", { x, y, fill: drawing.colour });
  text.textContent = drawing.words;
  return [text];
};

const handleNodes = (drawing: Drawing, matrix: Affine): SVGElement[] => {
  if (drawing.state !== "selected" || drawing.kind === "point") return [];
  return handlesOf(drawing.kind, drawing.points).map((point) => {
    const [cx, cy] = apply(matrix, point);
    return node("circle", { cx, cy, r: HANDLE, stroke: drawing.colour });
  });
};

const groupOf = (drawing: Drawing, matrix: Affine, size: CanvasSize): SVGElement => {
  const group = node("g", { class: drawing.state, "data-region": drawing.id });
  const d = lineText(drawing, matrix);
  group.append(
    node("path", { d, class: "halo" }),
    node("path", { d, stroke: drawing.colour }),
    ...handleNodes(drawing, matrix),
    ...wordsNode(drawing, matrix, size),
  );
  return group;
};

/** Lines across a pane, what turns them, a ruler, a cross: CSS pixels. */
export interface Mark {
  readonly kind: "line" | "handle" | "ruler" | "cursor" | "brush" | "note";
  readonly at: Point;
  /** Of a line: its direction, of length 1. */
  readonly along?: Point;
  /** Of a ruler: its other end. */
  readonly to?: Point;
  /** Of a brush: half its width and height. */
  readonly radii?: Point;
  readonly colour?: string;
  /** Of a note or a ruler. */
  readonly words?: string;
}

const noteNode = ([x, y]: Point, words: string): SVGElement => {
  const text = node("text", { x: x + 12, y: y - 10, class: "note" });
  text.textContent = words;
  return text;
};

const rimNode = ([cx, cy]: Point, [rx, ry]: Point, stroke: string): SVGElement =>
  node("ellipse", { cx, cy, rx, ry, stroke, class: "brush" });

const cursorNode = (at: Point): SVGElement => {
  const group = node("g", { class: "cursor" });
  const d = crossText(at);
  group.append(node("path", { d, class: "halo" }), node("path", { d }));
  return group;
};

const rulerNode = ([x, y]: Point, to: Point, words: string): SVGElement => {
  const group = node("g", { class: "ruler" });
  const d = `M${x} ${y}L${to[0]} ${to[1]}`;
  group.append(node("path", { d, class: "halo" }), node("path", { d }), noteNode(to, words));
  return group;
};

const crossLineNode = ([x, y]: Point, [right, down]: Point): SVGElement => {
  const d = `M${x - 9999 * right} ${y - 9999 * down}L${x + 9999 * right} ${y + 9999 * down}`;
  return node("path", { d, stroke: "currentcolor", class: "cross-line" });
};

const markNode = (mark: Mark): SVGElement => {
  const { kind, at, words = "" } = mark;
  if (kind === "note") return noteNode(at, words);
  if (kind === "brush") return rimNode(at, mark.radii ?? [1, 1], mark.colour ?? "currentcolor");
  if (kind === "cursor") return cursorNode(at);
  if (kind === "ruler") return rulerNode(at, mark.to ?? at, words);
  if (kind === "handle") return node("circle", { cx: at[0], cy: at[1], r: HANDLE, class: "turn" });
  return crossLineNode(at, mark.along ?? [1, 0]);
};

export const drawOverlay = (
  { svg, size }: { readonly svg: SVGSVGElement; readonly size: CanvasSize },
  drawings: readonly Drawing[],
  matrix: Affine | null,
  marks: readonly Mark[],
): void => {
  const groups = matrix ? drawings.map((drawing) => groupOf(drawing, matrix, size)) : [];
  const isOver = ({ kind }: Mark): boolean => kind === "cursor" || kind === "note" || kind === "ruler";
  const under = marks.filter((mark) => !isOver(mark)).map(markNode);
  svg.replaceChildren(...under, ...groups, ...marks.filter(isOver).map(markNode));
};
