/** Beside the image: the tools as pictures, and in its corners what is shown of it. */

import { html, nothing, type TemplateResult } from "lit";
import { isRegionQuestion } from "../../protocol/types";
import type { ToolName, View } from "../../viewer/stage";
import { say, type WordKey } from "../../words/say";
import { activeStop } from "../state";
import { keepFocus } from "./choices";
import { type IconName, icon } from "./icons";
import { keyText, type Screen } from "./screen";

interface ToolButton {
  readonly name: IconName;
  readonly label: WordKey;
  readonly act?: string;
  readonly isOn?: boolean;
  readonly isOff?: boolean;
  readonly run: () => void;
}

const button = (screen: Screen, { name, label, act = "", isOn, isOff, run }: ToolButton) => {
  const keys = keyText(screen, act);
  const title = keys === "" ? say(label) : `${say(label)} (${keys})`;
  return html`
    <button
      class="tool"
      type="button"
      data-tool=${name}
      aria-pressed=${isOn === undefined ? nothing : isOn}
      aria-label=${say(label)}
      title=${title}
      ?disabled=${isOff === true}
      @click=${run}
    >
      ${icon(name)}
    </button>
  `;
};

const pointer = (screen: Screen, name: ToolName & IconName, label: WordKey, act: string): ToolButton => ({
  name,
  label,
  act,
  isOn: screen.view?.tool === name,
  run: () => screen.drawing?.use(name),
});

const looking = (screen: Screen, view: View): ToolButton[] => {
  const { actions } = screen;
  return [
    pointer(screen, "window", "tool_window", "window"),
    pointer(screen, "pan", "tool_pan", "pan"),
    pointer(screen, "zoom", "tool_zoom", "magnify"),
    ...(view.count > 1 ? [pointer(screen, "scroll", "tool_scroll", "")] : []),
    pointer(screen, "magnify", "tool_magnify", ""),
    pointer(screen, "probe", "tool_probe", "probe"),
    { name: "rotate", label: "tool_rotate", act: "rotate", run: actions.rotate },
    {
      name: "flip_across",
      label: "tool_flip_across",
      act: "flip_across",
      isOn: view.isFlippedHorizontally,
      run: () => actions.flip("horizontal"),
    },
    { name: "invert", label: "tool_invert", act: "invert", isOn: view.isInverted, run: actions.invert },
    { name: "fit", label: "tool_fit", act: "fit", run: actions.fit },
  ];
};

const arranging = ({ stage, actions }: Screen, view: View): ToolButton[] => {
  const { cine } = view;
  return [
    ...(view.layouts.length > 1
      ? [{ name: "layout", label: "tool_layout", act: "layout", run: actions.layout } as const]
      : []),
    ...(cine
      ? [
          {
            name: cine.isPlaying ? "pause" : "play",
            label: cine.isPlaying ? "tool_pause" : "tool_play",
            run: () => (cine.isPlaying ? stage?.pause() : stage?.play()),
          } as const,
        ]
      : []),
  ];
};

const MASK_TOOLS = [
  ["brush", "tool_brush"],
  ["sphere", "tool_sphere"],
  ["eraser", "tool_eraser"],
  ["threshold", "tool_threshold"],
  ["scissors", "tool_scissors"],
] as const;

const drawing = (screen: Screen, view: View): ToolButton[] => {
  const { state, actions } = screen;
  const stop = activeStop(state);
  const history: ToolButton[] = [
    { name: "undo", label: "tool_undo", act: "undo", isOff: !view.canUndo, run: actions.undo },
    { name: "redo", label: "tool_redo", act: "redo", isOff: !view.canRedo, run: actions.redo },
  ];
  if (stop?.question.kind === "segmentation") {
    const painting = MASK_TOOLS.map(([name, label]) =>
      pointer(screen, name, label, { brush: "draw", eraser: "erase" }[name as string] ?? ""),
    );
    return [...painting, ...history];
  }
  if (!stop || !isRegionQuestion(stop.question)) return view.canUndo || view.canRedo ? history : [];
  const { kind } = stop.question;
  const own = pointer(screen, kind, `tool_${kind}` satisfies WordKey, "draw");
  const cobb = kind === "angle" ? [pointer(screen, "cobb", "tool_cobb", "")] : [];
  return [{ ...own, run: () => screen.drawing?.draw() }, ...cobb, ...history];
};

export const toolRail = (screen: Screen): TemplateResult => {
  const { view } = screen;
  if (!view || !screen.state.current) return html`<div class="rail"></div>`;
  const groups = [looking(screen, view), arranging(screen, view), drawing(screen, view)];
  return html`
    <div class="rail" role="toolbar" aria-orientation="vertical" aria-label=${say("image_tools")} @mousedown=${keepFocus}>
      ${groups.filter((group) => group.length > 0).map((group) => html`<div class="rail-group">${group.map((one) => button(screen, one))}</div>`)}
    </div>
  `;
};

const LENGTHS: Readonly<Record<View["lengths"], WordKey | null>> = {
  patient: null,
  region: "lengths_region",
  detector: "lengths_detector",
  pixels: "lengths_pixels",
};

export const imageFacts = (view: View | undefined): TemplateResult | typeof nothing => {
  if (!view) return nothing;
  const lengths = LENGTHS[view.lengths];
  return html`
    <p class="facts">
      ${
        view.isColour
          ? nothing
          : html`<span>W ${Math.round(view.window.width)}</span> <span>L ${Math.round(view.window.center)}</span>`
      }
      <span>${Math.round(view.zoom * 100)} %</span>
      ${lengths ? html`<span>${say(lengths)}</span>` : nothing}
    </p>
  `;
};

export const slicePosition = (view: View | undefined): TemplateResult | typeof nothing => {
  if (!view || view.count < 2) return nothing;
  const share = view.index / (view.count - 1);
  return html`
    <div class="slices">
      <span class="slices-track" aria-hidden="true"
        ><span class="slices-thumb" style="inset-block-start: ${(100 * share).toFixed(1)}%"></span
      ></span>
      <span class="slices-word">${view.index + 1} / ${view.count}</span>
    </div>
  `;
};
