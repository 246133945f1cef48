/** The case page: the stored pixels as the reading room would first show them, with a slider through a series. */
import { Client } from "../api/client";
import type { CaseView } from "../api/types";
import { framesOf, openingIndex } from "../images/frame";
import { FrameStore } from "../images/store";
import { newWorkbench } from "../viewer/workbench";

export function openCase(): void {
  const root = document.querySelector<HTMLDivElement>("[data-case]");
  const told = document.getElementById("case-view")?.textContent;
  if (root && told) void show(root, JSON.parse(told) as CaseView);
}

async function show(root: HTMLDivElement, view: CaseView): Promise<void> {
  const client = new Client();
  const store = new FrameStore(({ caseId, sopInstanceUid, frame }, signal) =>
    client.frame(caseId, sopInstanceUid, frame, signal),
  );
  const frames = framesOf(view);
  const stage = newWorkbench(root, store, null, () => undefined);
  try {
    await stage.show(frames, openingIndex(frames));
    root.parentElement?.querySelector("img")?.remove();
    slide(frames.length, openingIndex(frames), (index) => stage.goTo(index));
  } catch (error) {
    fail(error);
  }
}

function slide(count: number, start: number, goTo: (index: number) => Promise<void>): void {
  const label = document.querySelector<HTMLElement>(".case-slices");
  const slider = label?.querySelector("input");
  const place = label?.querySelector<HTMLElement>("[data-case-place]");
  if (!label || !slider || !place || count < 2) return;
  const say = () => {
    place.textContent = `${slider.value} / ${count}`;
  };
  slider.max = String(count);
  slider.value = String(start + 1);
  slider.addEventListener("input", () => {
    say();
    goTo(slider.valueAsNumber - 1).catch(fail);
  });
  say();
  label.hidden = false;
}

function fail(error: unknown): void {
  const problem = document.querySelector<HTMLElement>("[data-case-problem]");
  if (!problem) return;
  problem.hidden = false;
  problem.textContent = `The image could not be shown: ${error instanceof Error ? error.message : String(error)}`;
}
