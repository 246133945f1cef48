/** Over the image's corners: the tools, what is shown of it, and where in a series it is. */

import { html, nothing, type TemplateResult } from "lit";
import type { Tool } from "../../viewer/gestures";
import type { View } from "../../viewer/stage";
import type { RoomActions } from "../keys";

const TOOLS: readonly { readonly tool: Tool; readonly label: string; readonly key: string }[] = [
  { tool: "window", label: "Window", key: "W" },
  { tool: "pan", label: "Pan", key: "P" },
  { tool: "zoom", label: "Magnify", key: "M" },
];

const keepFocus = (event: Event): void => event.preventDefault();

export const toolbar = (chosen: Tool, view: View | undefined, actions: RoomActions): TemplateResult => html`
  <div class="tools" role="toolbar" aria-label="Image tools" @mousedown=${keepFocus}>
    ${TOOLS.map(
      ({ tool, label, key }) => html`
        <button class="tool" aria-pressed=${tool === chosen} title="${label} (${key})" @click=${() => actions.use(tool)}>
          ${label}
        </button>
      `,
    )}
    <button class="tool" aria-pressed=${view?.isInverted === true} title="Invert (I)" @click=${actions.invert}>
      Invert
    </button>
    <button class="tool" title="Fit and reset (F)" @click=${actions.fit}>Fit</button>
  </div>
`;

export const imageFacts = (view: View | undefined): TemplateResult | typeof nothing =>
  view
    ? html`
        <p class="facts">
          <span>W ${Math.round(view.window.width)}</span> <span>L ${Math.round(view.window.center)}</span>
          <span>${Math.round(view.zoom * 100)} %</span>
        </p>
      `
    : nothing;

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
