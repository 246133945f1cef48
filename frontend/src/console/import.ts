/** The import page: choose or drop a folder or an archive, look at what it is, send it, go to the report. */
import { type Chosen, fromDrop, fromInput, relativeTo } from "./dropped";
import { type Delivery, send } from "./send";

export function openImport(): void {
  const root = document.querySelector<HTMLElement>("[data-import]");
  if (root) new ImportPage(root).listen();
}

type Stage = "drop" | "review" | "sending";

class ImportPage {
  private busy = false;
  private name = "";
  private files: readonly Chosen[] = [];

  constructor(private readonly root: HTMLElement) {}

  listen(): void {
    for (const input of this.root.querySelectorAll<HTMLInputElement>("input[type=file]")) {
      input.addEventListener("change", () => this.take(fromInput(input)));
    }
    for (const button of this.root.querySelectorAll<HTMLElement>("[data-opens]")) {
      button.addEventListener("click", () => document.getElementById(button.dataset.opens ?? "")?.click());
    }
    this.listenToDrops(this.part("drop"));
    this.form().addEventListener("submit", (event) => {
      event.preventDefault();
      void this.run();
    });
    this.form().addEventListener("reset", () => this.show("drop"));
    addEventListener("beforeunload", (event) => {
      if (this.busy) event.preventDefault();
    });
  }

  private listenToDrops(drop: HTMLElement): void {
    drop.addEventListener("dragover", (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
    drop.addEventListener("dragleave", () => drop.classList.remove("over"));
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      drop.classList.remove("over");
      if (event.dataTransfer) void fromDrop(event.dataTransfer).then((chosen) => this.take(chosen));
    });
  }

  private take(chosen: readonly Chosen[]): void {
    this.files = relativeTo(chosen);
    this.name = nameOf(chosen);
    if (this.files.length === 0) {
      this.fail("There is no file in what you chose.");
      return;
    }
    const bytes = this.files.reduce((sum, { file }) => sum + file.size, 0);
    this.part("chosen").textContent = this.name;
    this.part("size").textContent = `${counted(this.files.length)} · ${megabytes(bytes)}`;
    this.part("pictures").hidden = !this.files.some(({ path }) => mayBePicture(path));
    this.show("review");
    this.form().querySelector<HTMLButtonElement>("button.primary")?.focus();
  }

  private async run(): Promise<void> {
    this.busy = true;
    this.part("title").textContent = `Sending ${this.name}`;
    this.show("sending");
    try {
      const report = await send(this.root.dataset.import ?? "", this.delivery(), (sent, total) =>
        this.progress(sent, total),
      );
      this.busy = false;
      location.assign(this.root.dataset.importThen ?? report);
    } catch (error) {
      this.busy = false;
      this.show("review");
      this.fail(error instanceof Error ? error.message : String(error));
    }
  }

  private delivery(): Delivery {
    const told = new FormData(this.form());
    return {
      name: this.name,
      files: this.files,
      modality: String(told.get("modality")),
      picturesCleared: told.has("pictures_cleared"),
    };
  }

  private progress(sent: number, total: number): void {
    const bar = this.part("bar");
    if (bar instanceof HTMLProgressElement) bar.value = total > 0 ? sent / total : 1;
    this.part("amount").textContent =
      `${megabytes(sent)} of ${megabytes(total)} · ${counted(this.files.length)}`;
  }

  private show(stage: Stage): void {
    for (const name of ["drop", "review", "sending"]) this.part(name).hidden = name !== stage;
    this.part("problem").hidden = true;
  }

  private fail(words: string): void {
    const problem = this.part("problem");
    problem.hidden = false;
    problem.textContent = words;
  }

  private form(): HTMLFormElement {
    const form = this.part("review");
    if (!(form instanceof HTMLFormElement)) throw new Error("the import page's review is no form");
    return form;
  }

  private part(name: string): HTMLElement {
    const found = this.root.querySelector<HTMLElement>(`[data-part="${name}"]`);
    if (!found) throw new Error(`the import page has no part “${name}”`);
    return found;
  }
}

function nameOf(chosen: readonly Chosen[]): string {
  const first = chosen[0]?.path ?? "";
  const top = first.split("/")[0] ?? first;
  return chosen.length === 1 || first.includes("/") ? top : counted(chosen.length);
}

/** Pictures and volumes by their names; an archive may hold some. */
function mayBePicture(path: string): boolean {
  return /\.(png|jpe?g|tiff?|nii(\.gz)?|nrrd|mha|mhd|zip|tar|tgz|tar\.(gz|bz2|xz))$/i.test(path);
}

function counted(files: number): string {
  return `${files.toLocaleString("en")} file${files === 1 ? "" : "s"}`;
}

function megabytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
