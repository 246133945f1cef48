/**
 * Figures drawn by Observable Plot, loaded where a page has one: <figure data-plot="kind" data-plot-from="id of its
 * JSON">. The table beside holds the same numbers; colours are the theme's, so a change of theme needs no drawing.
 */
import type { Markish, PlotOptions } from "@observablehq/plot";
import { type Figures, figuresIn, namesIn } from "./plot_figures";

type Plot = typeof import("@observablehq/plot");
type Draw = (plot: Plot, figures: Figures, width: number) => PlotOptions;

const SERIES = ["var(--series-1)", "var(--series-2)", "var(--series-3)", "var(--series-4)"];
const HEIGHT = 300;

export function openPlots(root: ParentNode = document): void {
  const found = [...root.querySelectorAll<HTMLElement>("[data-plot]:empty")];
  if (found.length > 0) void drawAll(found);
}

async function drawAll(figures: readonly HTMLElement[]): Promise<void> {
  const plot = await import("@observablehq/plot");
  for (const figure of figures) follow(plot, figure);
}

function follow(plot: Plot, figure: HTMLElement): void {
  const draw = KINDS[figure.dataset.plot ?? ""];
  if (!draw) return;
  let drawn = 0;
  new ResizeObserver(([entry]) => {
    const width = Math.round(entry?.contentRect.width ?? 0);
    if (width === 0 || width === drawn) return;
    drawn = width;
    show(plot, figure, draw(plot, figuresIn(figure.dataset.plotFrom ?? ""), width));
  }).observe(figure);
}

function show(plot: Plot, figure: HTMLElement, options: PlotOptions): void {
  const made = plot.plot({ ...options, className: "plot", color: { ...options.color, range: SERIES } });
  // The policy allows no style elements: what Plot would write into one is in pages.css.
  for (const style of made.querySelectorAll("style")) style.remove();
  // Groups have no role that may bear a label; the figure as a whole has one.
  for (const group of made.querySelectorAll("g[aria-label]")) {
    if (group.getAttribute("aria-label")?.endsWith("grid")) group.classList.add("plot-grid");
    group.removeAttribute("aria-label");
  }
  const label = figure.getAttribute("aria-label");
  for (const svg of made.localName === "svg" ? [made] : made.querySelectorAll("svg.plot")) {
    svg.setAttribute("role", "img");
    if (label) svg.setAttribute("aria-label", label);
  }
  figure.replaceChildren(made);
}

const intervals: Draw = (plot, figures, width) => {
  const rows = figures.intervals ?? [];
  const models = namesIn(rows, "model");
  const marks: Markish[] = [
    plot.ruleY(rows, { y: "model", x1: "low", x2: "high", fy: "figure", stroke: "model", strokeWidth: 2 }),
    plot.dot(rows, {
      y: "model",
      x: "value",
      fy: "figure",
      fill: "model",
      r: 4.5,
      channels: { title: titled },
    }),
  ];
  return {
    width,
    height: 60 + namesIn(rows, "figure").length * (18 + 18 * models.length),
    marginLeft: 16,
    marginRight: 290,
    x: { label: "value, with its 95 % interval", grid: true, domain: [0, 1] },
    y: { axis: null, domain: models, padding: 0.5 },
    fy: { label: null, domain: namesIn(rows, "figure"), padding: 0.25, axis: "right" },
    color: { domain: models, legend: models.length > 1 },
    marks,
  };
};

const calibration: Draw = (plot, figures, width) => {
  const rows = figures.calibration ?? [];
  const models = namesIn(rows, "model");
  return {
    width,
    height: HEIGHT,
    x: { label: "how sure it is", domain: [0, 1], grid: true, percent: false },
    y: { label: "how often it is right", domain: [0, 1], grid: true },
    color: { domain: models, legend: models.length > 1 },
    marks: [
      plot.link([0], { x1: 0, y1: 0, x2: 1, y2: 1, stroke: "var(--ink-faint)", strokeDasharray: "4 4" }),
      plot.lineY(rows, { x: "sure", y: "right", z: "model", stroke: "model", strokeWidth: 2 }),
      plot.dot(rows, { x: "sure", y: "right", fill: "model", r: 4 }),
    ],
  };
};

const lines =
  (name: string, x: string, y: string): Draw =>
  (plot, figures, width) => {
    const rows = figures[name] ?? [];
    const series = namesIn(rows, "series");
    return {
      width,
      height: HEIGHT,
      x: { label: x, grid: true, zero: name !== "loss" },
      y: { label: y, grid: true, nice: true, zero: name !== "loss" },
      color: { domain: series, legend: series.length > 1 },
      marks: [
        plot.lineY(rows, { x: "x", y: "y", z: "series", stroke: "series", strokeWidth: 2 }),
        plot.dot(rows, { x: "x", y: "y", fill: "series", r: rows.length > 60 ? 1.5 : 3 }),
      ],
    };
  };

const KINDS: Readonly<Record<string, Draw>> = {
  intervals,
  calibration,
  loss: lines("loss", "epoch", "loss"),
  memory: lines("memory", "minutes", "GB"),
  busy: lines("busy", "minutes", "per cent"),
  drift: lines("drift", "days ago", "new images told from labelled ones"),
};

const titled = (row: Record<string, unknown>): string => `${row.model}: ${row.value}`;
