/** Pictures on buttons: one stroke, 20 by 20. */

import { html, svg, type TemplateResult } from "lit";

const DRAWN = {
  window: "M10 3a7 7 0 1 0 0 14Z M10 3a7 7 0 0 1 0 14",
  pan: "M10 2v16M2 10h16M7.5 4.5 10 2l2.5 2.5M7.5 15.5 10 18l2.5-2.5M4.5 7.5 2 10l2.5 2.5M15.5 7.5 18 10l-2.5 2.5",
  zoom: "M8.5 3a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11ZM12.5 12.5 17 17M8.5 6v5M6 8.5h5",
  scroll: "M4 4h12M4 8h12M4 12h12M4 16h12",
  magnify: "M9 4a5 5 0 1 0 0 10A5 5 0 0 0 9 4ZM13 13l4 4M3 3h14v14",
  probe: "M10 2v5M10 13v5M2 10h5M13 10h5M10 9.5v1",
  rotate: "M15.5 7A6.5 6.5 0 1 0 16.5 11M16 3v4.5h-4.5",
  flip_across: "M10 2v16M7.5 5 3 15h4.5ZM12.5 5 17 15h-4.5Z",
  flip_down: "M2 10h16M5 7.5 15 3v4.5ZM5 12.5 15 17v-4.5Z",
  invert: "M3 3h14v14H3ZM3 17 17 3M6 6h4M12 13h3",
  fit: "M3 7V3h4M13 3h4v4M17 13v4h-4M7 17H3v-4",
  layout: "M3 3h14v14H3ZM10 3v14M3 10h14",
  play: "M6 4l10 6-10 6Z",
  pause: "M7 4v12M13 4v12",
  undo: "M7 4 3 8l4 4M3 8h8a5 5 0 0 1 0 10H8",
  redo: "M13 4l4 4-4 4M17 8H9a5 5 0 0 0 0 10h3",
  point: "M10 8.5a1.5 1.5 0 1 0 0 3 1.5 1.5 0 0 0 0-3ZM10 2v4M10 14v4M2 10h4M14 10h4",
  line: "M4 16 16 4M2.5 14.5l3 3M14.5 2.5l3 3",
  bidirectional: "M3 17 17 3M7 7l6 6",
  angle: "M16 16H4L14 5M9 10.5A6 6 0 0 1 11 16",
  cobb: "M3 6l14-3M3 14l14 3",
  box: "M3 5h14v10H3Z",
  ellipse: "M10 5c4.5 0 7 2.2 7 5s-2.5 5-7 5-7-2.2-7-5 2.5-5 7-5Z",
  polygon: "M4 7l6-4 7 5-3 9H6Z",
  freehand: "M3 12c2-7 6-9 9-7s-3 7 0 8 5-2 5-5",
  brush: "M17 3 9 11M9 11c-3 0-3 3-3 4s-1 2-3 2c2 1 8 1 8-4Z",
  sphere: "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14ZM3 10c2 2.5 12 2.5 14 0",
  eraser: "M8 17 3 12l8-8 6 6-7 7ZM6 9l6 6",
  threshold: "M3 16h3v-5h4V6h4v10h3M2 11h16",
  scissors: "M5 13a2 2 0 1 0 0 4 2 2 0 0 0 0-4ZM5 3a2 2 0 1 0 0 4 2 2 0 0 0 0-4ZM7 6l10 8M7 14 17 6",
  remove: "M4 6h12M8 6V4h4v2M6 6l1 11h6l1-11",
  seen: "M2 10s3-5 8-5 8 5 8 5-3 5-8 5-8-5-8-5ZM10 8a2 2 0 1 0 0 4 2 2 0 0 0 0-4Z",
  hidden: "M2 10s3-5 8-5 8 5 8 5-3 5-8 5-8-5-8-5ZM3 17 17 3",
  locked: "M5 9h10v8H5ZM7 9V6a3 3 0 0 1 6 0v3",
  unlocked: "M5 9h10v8H5ZM7 9V6a3 3 0 0 1 6-1",
  theme: "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14ZM10 3v14",
} as const;

export type IconName = keyof typeof DRAWN;

export const icon = (name: IconName): TemplateResult => html`
  <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">${svg`<path d=${DRAWN[name]} />`}</svg>
`;
