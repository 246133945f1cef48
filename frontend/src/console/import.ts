/** The import page: choose or drop a folder or a zip, see what will be sent, send it, go to the report. */
import { type Chosen, fromDrop, fromInput, relativeTo } from "./dropped";
import { send } from "./send";

export function openImport(): void {
  const root = document.querySelector<HTMLElement>("[data-import]");
  if (root) new ImportForm(root).listen();
}

class ImportForm {
  private busy = false;

  constructor(private readonly root: HTMLElement) {}

  listen(): void {
    const drop = this.part("drop");
    for (const input of this.root.querySelectorAll<HTMLInputElement>("input[type=file]")) {
      input.addEventListener("change", () => this.take(fromInput(input)));
    }
    for (const button of this.root.querySelectorAll<HTMLElement>("[data-opens]")) {
      button.addEventListener("click", () => document.getElementById(button.dataset.opens ?? "")?.click());
    }
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
    addEventListener("beforeunload", (event) => {
      if (this.busy) event.preventDefault();
    });
  }

  private take(chosen: readonly Chosen[]): void {
    if (this.busy) return;
    const files = relativeTo(chosen);
    if (files.length === 0) {
      this.fail("There is no file in what you chose.");
      return;
    }
    void this.run(files, nameOf(chosen));
  }

  private async run(files: readonly Chosen[], name: string): Promise<void> {
    this.busy = true;
    this.part("problem").hidden = true;
    this.part("drop").hidden = true;
    this.part("sending").hidden = false;
    this.part("title").textContent = `Sending ${name}`;
    try {
      const report = await send(this.root.dataset.import ?? "", name, files, (sent, total) =>
        this.progress(sent, total, files.length),
      );
      this.busy = false;
      location.assign(report);
    } catch (error) {
      this.busy = false;
      this.part("drop").hidden = false;
      this.part("sending").hidden = true;
      this.fail(error instanceof Error ? error.message : String(error));
    }
  }

  private progress(sent: number, total: number, count: number): void {
    const bar = this.part("bar");
    if (bar instanceof HTMLProgressElement) bar.value = total > 0 ? sent / total : 1;
    this.part("amount").textContent =
      `${megabytes(sent)} of ${megabytes(total)} · ${count.toLocaleString("en")} file${count === 1 ? "" : "s"}`;
  }

  private fail(words: string): void {
    const problem = this.part("problem");
    problem.hidden = false;
    problem.textContent = words;
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
  return chosen.length === 1 || first.includes("/") ? top : `${chosen.length} files`;
}

function megabytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
