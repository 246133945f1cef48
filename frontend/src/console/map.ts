/** The embedding map: drag and wheel move it, a click opens a case; keys and a list do the same. */

import { type Frame, type Look, paint } from "./painter";
import { classColour, css, packed, type Rgb, rampColour, tableOf } from "./palette";
import { Grid, idOf, NONE, type Points, pointsFrom, SIDE } from "./points";

interface Facts {
  readonly points: string;
  readonly case: string;
  readonly count: number;
  readonly classes: readonly string[];
  readonly sites: readonly string[];
  readonly judged: boolean;
}

type Colour = "label" | "uncertainty" | "site";
const REACH_PX = 10;
const LISTED = 14;
const MOST_CHOSEN = 5;
const SLOW_MS = 140;
const CLICK_PX = 4;

export function openMap(): void {
  const root = document.querySelector<HTMLElement>("[data-map]");
  const told = document.getElementById("map-facts")?.textContent;
  if (!root || !told) return;
  const facts = JSON.parse(told) as Facts;
  fetch(facts.points)
    .then((response) => {
      if (!response.ok) throw new Error(`the server answered ${response.status}`);
      return response.arrayBuffer();
    })
    .then((buffer) => new EmbeddingMap(root, facts, pointsFrom(buffer, facts.count)).open())
    .catch((error: unknown) => {
      const problem = document.createElement("p");
      problem.className = "notice bad";
      problem.textContent = `The map could not be shown: ${error instanceof Error ? error.message : String(error)}`;
      root.replaceChildren(problem);
    });
}

class EmbeddingMap {
  readonly #canvas: HTMLCanvasElement;
  readonly #card: HTMLElement;
  readonly #grid: Grid;
  readonly #chosen = new Set<number>();
  #frame: Frame = { x: SIDE / 2, y: SIDE / 2, scale: 0.01 };
  #colour: Colour = "label";
  #only: number | null = null;
  #listTimer = 0;
  #cardTimer = 0;
  #asked = false;

  constructor(
    private readonly root: HTMLElement,
    private readonly facts: Facts,
    private readonly points: Points,
  ) {
    this.#canvas = part(root, "canvas", HTMLCanvasElement);
    this.#card = part(root, "[data-map-card]", HTMLElement);
    this.#grid = new Grid(points);
  }

  open(): void {
    new ResizeObserver(() => this.#fit()).observe(this.#canvas);
    new MutationObserver(() => this.#draw()).observe(document.documentElement, {
      attributeFilter: ["data-theme"],
    });
    matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => this.#draw());
    this.#listenToPointer();
    this.#canvas.addEventListener("keydown", (event) => this.#key(event));
    for (const name of ["focus", "blur"]) this.#canvas.addEventListener(name, () => this.#draw());
    for (const button of this.root.querySelectorAll<HTMLElement>("[data-map-zoom]")) {
      button.addEventListener("click", () => this.#zoomBy(button.dataset.mapZoom ?? "all"));
    }
    part(this.root, "[data-map-colours]", HTMLElement).addEventListener("change", (event) => {
      this.#colour = (event.target as HTMLInputElement).value as Colour;
      this.#only = null;
      this.#legend();
      this.#draw();
    });
    this.#legend();
    this.root.dataset.mapReady = String(this.points.count);
  }

  /** The whole map on the canvas, whose pixels are the screen's. */
  #fit(): void {
    const ratio = devicePixelRatio || 1;
    const [width, height] = [this.#canvas.clientWidth * ratio, this.#canvas.clientHeight * ratio];
    if (width === 0 || (this.#canvas.width === Math.round(width) && this.#asked)) return;
    this.#asked = true;
    this.#canvas.width = Math.round(width);
    this.#canvas.height = Math.round(height);
    this.#all();
  }

  #all(): void {
    this.#move({ x: SIDE / 2, y: SIDE / 2, scale: this.#least() });
  }

  #least(): number {
    return (0.96 * Math.min(this.#canvas.width, this.#canvas.height)) / SIDE;
  }

  #move(frame: Frame): void {
    this.#hide();
    const least = this.#least();
    const inside = (value: number) => Math.min(SIDE, Math.max(0, value));
    const scale = Math.min(least * 200, Math.max(least, frame.scale));
    this.#frame = { x: inside(frame.x), y: inside(frame.y), scale };
    this.#draw();
    clearTimeout(this.#listTimer);
    this.#listTimer = window.setTimeout(() => this.#list(), SLOW_MS);
  }

  #zoomBy(how: string): void {
    if (how === "all") this.#all();
    else this.#move({ ...this.#frame, scale: this.#frame.scale * (how === "in" ? 1.5 : 1 / 1.5) });
  }

  /** Zoom around a place of the canvas that stays where it is. */
  #zoomAt(factor: number, column: number, row: number): void {
    const [x, y] = this.#place(column, row);
    const scale = Math.min(this.#least() * 200, Math.max(this.#least(), this.#frame.scale * factor));
    const kept = this.#frame.scale / scale;
    this.#move({ x: x + (this.#frame.x - x) * kept, y: y + (this.#frame.y - y) * kept, scale });
  }

  /** Where a canvas pixel lies, in the points' unit. */
  #place(column: number, row: number): readonly [number, number] {
    const { x, y, scale } = this.#frame;
    return [x + (column - this.#canvas.width / 2) / scale, y + (row - this.#canvas.height / 2) / scale];
  }

  #draw(): void {
    requestAnimationFrame(() => {
      const context = this.#canvas.getContext("2d", { alpha: false });
      if (!context || this.#canvas.width === 0) return;
      const picture = context.createImageData(this.#canvas.width, this.#canvas.height);
      paint(picture, this.points, this.#frame, this.#look());
      context.putImageData(picture, 0, 0);
      this.#rings(context);
    });
  }

  #look(): Look {
    const [ground, quiet] = [colourOf(this.root, "--sunken"), colourOf(this.root, "--edge")];
    const values = {
      label: this.points.label,
      uncertainty: this.points.uncertainty,
      site: this.points.site,
    }[this.#colour];
    const colour = this.#colour === "uncertainty" ? rampColour : classColour;
    return {
      values,
      colours: tableOf(colour, quiet),
      only: this.#only,
      quiet: packed(quiet),
      ground: packed(ground),
    };
  }

  /** Rings mark what is chosen, and with the focus on the map the point that Enter opens. */
  #rings(context: CanvasRenderingContext2D): void {
    const ink = css(colourOf(this.root, "--ink"));
    const marked = [...this.#chosen];
    if (document.activeElement === this.#canvas && this.#canvas.matches(":focus-visible")) {
      const middle = this.#middle();
      if (middle >= 0) marked.push(middle);
    }
    const ratio = devicePixelRatio || 1;
    for (const index of marked) {
      const [column, row] = this.#onCanvas(index);
      context.beginPath();
      context.arc(column, row, 9 * ratio, 0, 2 * Math.PI);
      context.lineWidth = 2 * ratio;
      context.strokeStyle = ink;
      context.stroke();
    }
  }

  #onCanvas(index: number): readonly [number, number] {
    const { x, y, scale } = this.#frame;
    return [
      this.#canvas.width / 2 + ((this.points.x[index] ?? 0) - x) * scale,
      this.#canvas.height / 2 + ((this.points.y[index] ?? 0) - y) * scale,
    ];
  }

  #middle(): number {
    return this.#grid.nearest(this.#frame.x, this.#frame.y, this.#canvas.width / 2 / this.#frame.scale);
  }

  #listenToPointer(): void {
    let from: { x: number; y: number; moved: boolean } | null = null;
    const ratio = () => devicePixelRatio || 1;
    this.#canvas.addEventListener("pointerdown", (event) => {
      from = { x: event.offsetX, y: event.offsetY, moved: false };
      this.#canvas.setPointerCapture(event.pointerId);
    });
    this.#canvas.addEventListener("pointermove", (event) => {
      if (!from) {
        this.#hover(event.offsetX, event.offsetY);
        return;
      }
      const [across, down] = [event.offsetX - from.x, event.offsetY - from.y];
      if (!from.moved && Math.hypot(across, down) < CLICK_PX) return;
      from = { x: event.offsetX, y: event.offsetY, moved: true };
      const { x, y, scale } = this.#frame;
      this.#move({ x: x - (across * ratio()) / scale, y: y - (down * ratio()) / scale, scale });
    });
    this.#canvas.addEventListener("pointerup", (event) => {
      if (from && !from.moved) this.#click(event);
      from = null;
    });
    this.#canvas.addEventListener("pointerleave", () => this.#hide());
    this.#canvas.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        this.#zoomAt(Math.exp(-event.deltaY / 400), event.offsetX * ratio(), event.offsetY * ratio());
      },
      { passive: false },
    );
  }

  /** The point under the pointer; -1 where there is none. */
  #under(left: number, top: number): number {
    const ratio = devicePixelRatio || 1;
    const [x, y] = this.#place(left * ratio, top * ratio);
    return this.#grid.nearest(x, y, (REACH_PX * ratio) / this.#frame.scale);
  }

  #click(event: PointerEvent): void {
    const index = this.#under(event.offsetX, event.offsetY);
    if (index < 0) return;
    if (event.shiftKey) this.#choose(index);
    else location.assign(this.#address(index));
  }

  #hover(left: number, top: number): void {
    const index = this.#under(left, top);
    this.#canvas.style.cursor = index < 0 ? "grab" : "pointer";
    if (index < 0) {
      this.#hide();
      return;
    }
    const number = String(this.points.numbers[index]);
    if (this.#card.dataset.number === number && !this.#card.hidden) return;
    this.#hide();
    this.#card.dataset.number = number;
    this.#cardTimer = window.setTimeout(() => this.#show(index), SLOW_MS);
  }

  #show(index: number): void {
    const image = part(this.#card, "img", HTMLImageElement);
    image.src = `/api/v1/cases/${idOf(this.points, index)}/thumbnail`;
    part(this.#card, "p", HTMLElement).textContent = this.#words(index);
    const [column, row] = this.#onCanvas(index).map((value) => value / (devicePixelRatio || 1)) as [
      number,
      number,
    ];
    const isRight = column > this.#canvas.clientWidth / 2;
    this.#card.style.left = `${isRight ? column - 148 : column + 14}px`;
    this.#card.style.top = `${Math.max(4, Math.min(row - 60, this.#canvas.clientHeight - 190))}px`;
    this.#card.hidden = false;
  }

  #hide(): void {
    clearTimeout(this.#cardTimer);
    this.#card.hidden = true;
    delete this.#card.dataset.number;
  }

  #words(index: number): string {
    return `${this.points.numbers[index]} · ${this.#told(index).join(" · ")}`;
  }

  /** What is known of a point: label, uncertainty, site. */
  #told(index: number): string[] {
    const { label, uncertainty, site } = this.points;
    const [answer, unsure, where] = [label[index] ?? NONE, uncertainty[index] ?? NONE, site[index] ?? NONE];
    const told = [answer === NONE ? "unlabelled" : (this.facts.classes[answer] ?? "")];
    if (unsure !== NONE) told.push(`unsure ${Math.round((100 * unsure) / 254)}\u00a0%`);
    if (this.facts.sites.length > 1) told.push(this.facts.sites[where] ?? "other device");
    return told;
  }

  #address(index: number): string {
    return `${this.facts.case}${this.points.numbers[index]}`;
  }

  #key(event: KeyboardEvent): void {
    const step = (0.12 * this.#canvas.clientWidth) / this.#frame.scale;
    const { x, y, scale } = this.#frame;
    const moves: Readonly<Record<string, () => void>> = {
      ArrowLeft: () => this.#move({ x: x - step, y, scale }),
      ArrowRight: () => this.#move({ x: x + step, y, scale }),
      ArrowUp: () => this.#move({ x, y: y - step, scale }),
      ArrowDown: () => this.#move({ x, y: y + step, scale }),
      "+": () => this.#zoomBy("in"),
      "=": () => this.#zoomBy("in"),
      "-": () => this.#zoomBy("out"),
      "0": () => this.#all(),
      Enter: () => this.#openMiddle(),
    };
    const move = event.ctrlKey || event.metaKey || event.altKey ? undefined : moves[event.key];
    if (!move) return;
    event.preventDefault();
    move();
  }

  #openMiddle(): void {
    const index = this.#middle();
    if (index >= 0) location.assign(this.#address(index));
  }

  #choose(index: number): void {
    if (this.#chosen.has(index)) this.#chosen.delete(index);
    else if (this.#chosen.size < MOST_CHOSEN) this.#chosen.add(index);
    this.#draw();
    this.#list();
  }

  /** What lies nearest to the middle of the view, and whatever is chosen. */
  #list(): void {
    const { x, y, scale } = this.#frame;
    const [across, down] = [this.#canvas.width / 2 / scale, this.#canvas.height / 2 / scale];
    const inside = [...this.#grid.inside(x - across, y - down, x + across, y + down)];
    const distance = (index: number) => this.#grid.distance2(index, x, y);
    const nearest = inside.sort((a, b) => distance(a) - distance(b)).slice(0, LISTED);
    const listed = [...new Set([...this.#chosen, ...nearest])];
    part(this.root, "[data-map-list]", HTMLElement).replaceChildren(
      ...listed.map((index) => this.#row(index)),
    );
    part(this.root, "[data-map-count]", HTMLElement).textContent =
      `${inside.length.toLocaleString("en")} of ${this.points.count.toLocaleString("en")} cases`;
    this.#tellChosen();
  }

  #row(index: number): HTMLLIElement {
    const row = document.createElement("li");
    const number = String(this.points.numbers[index]);
    if (this.root.querySelector("[data-map-find]")) row.append(this.#box(index, number));
    const link = document.createElement("a");
    link.href = this.#address(index);
    link.textContent = `Case ${number}`;
    const told = document.createElement("span");
    told.className = "faint";
    told.textContent = this.#told(index).join(" · ");
    row.append(link, told);
    return row;
  }

  #box(index: number, number: string): HTMLInputElement {
    const box = document.createElement("input");
    box.type = "checkbox";
    box.name = "like";
    box.value = number;
    box.checked = this.#chosen.has(index);
    box.disabled = !box.checked && this.#chosen.size >= MOST_CHOSEN;
    box.setAttribute("aria-label", `Choose case ${number}`);
    box.addEventListener("change", () => {
      this.#choose(index);
      this.root.querySelector<HTMLElement>(`[data-map-list] input[value="${number}"]`)?.focus();
    });
    return box;
  }

  #tellChosen(): void {
    const button = this.root.querySelector<HTMLButtonElement>("[data-map-find]");
    const told = this.root.querySelector<HTMLElement>("[data-map-chosen]");
    if (!button || !told) return;
    button.disabled = this.#chosen.size === 0;
    told.textContent = this.#chosen.size === 0 ? "Choose 1 to 5" : `${this.#chosen.size} chosen`;
  }

  #legend(): void {
    const names = { label: this.facts.classes, site: this.facts.sites, uncertainty: [] }[this.#colour];
    const values = this.#colour === "site" ? this.points.site : this.points.label;
    const entries = names.map((name, number) => this.#entry(name, number, count(values, number)));
    const legend = part(this.root, "[data-map-legend]", HTMLElement);
    legend.replaceChildren(...(this.#colour === "uncertainty" ? rampLegend() : entries));
    if (this.#colour === "label") legend.append(quietEntry(count(values, NONE)));
  }

  /** A legend's entry shows its points alone while it is pressed. */
  #entry(name: string, number: number, points: number): HTMLElement {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "map-key";
    button.setAttribute("aria-pressed", String(this.#only === number));
    const dot = document.createElement("i");
    dot.style.background = css(classColour(number));
    button.append(dot, `${name} ${points.toLocaleString("en")}`);
    button.addEventListener("click", () => {
      this.#only = this.#only === number ? null : number;
      this.#legend();
      this.#draw();
    });
    return button;
  }
}

function rampLegend(): HTMLElement[] {
  const bar = document.createElement("i");
  bar.className = "map-ramp";
  const stops = [0, 64, 127, 190, 254].map((value) => css(rampColour(value)));
  bar.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
  return [word("sure"), bar, word("unsure")];
}

function quietEntry(points: number): HTMLElement {
  const entry = word("");
  const dot = document.createElement("i");
  dot.style.background = "var(--edge)";
  entry.className = "map-key";
  entry.append(dot, `unlabelled ${points.toLocaleString("en")}`);
  return entry;
}

function word(text: string): HTMLElement {
  const span = document.createElement("span");
  span.textContent = text;
  return span;
}

function count(values: Uint8Array, wanted: number): number {
  return values.reduce((sum, value) => sum + (value === wanted ? 1 : 0), 0);
}

/** A custom property's colour as the theme on screen resolves it. */
function colourOf(element: HTMLElement, name: string): Rgb {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  element.append(probe);
  const [red, green, blue] = getComputedStyle(probe).color.match(/[\d.]+/g) ?? [];
  probe.remove();
  return [Number(red ?? 0), Number(green ?? 0), Number(blue ?? 0)];
}

function part<T extends HTMLElement>(root: ParentNode, selector: string, kind: new () => T): T {
  const found = root.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`the map has no part ${selector}`);
  return found;
}
