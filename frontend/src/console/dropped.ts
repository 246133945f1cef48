/** One file of a delivery with its place in it. */
export interface Chosen {
  readonly path: string;
  readonly file: File;
}

/** Files of an <input type=file>, with their paths where a folder was chosen. */
export function fromInput(input: HTMLInputElement): Chosen[] {
  return [...(input.files ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}

/** Files of a drop: folders are walked. Entries must be taken before the first await, while the drop is alive. */
export async function fromDrop(transfer: DataTransfer): Promise<Chosen[]> {
  const entries = [...transfer.items]
    .map((item) => item.webkitGetAsEntry())
    .filter((entry) => entry !== null);
  const lists = await Promise.all(entries.map((entry) => walk(entry)));
  return lists.flat();
}

async function walk(entry: FileSystemEntry): Promise<Chosen[]> {
  if (isFile(entry)) {
    const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
    return [{ path: entry.fullPath.replace(/^\//, ""), file }];
  }
  if (!isDirectory(entry)) return [];
  const found: Chosen[] = [];
  for (const child of await children(entry)) found.push(...(await walk(child)));
  return found;
}

/** readEntries gives at most a hundred at a time, and none at the end. */
async function children(directory: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = directory.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return all;
    all.push(...some);
  }
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isDirectory(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}

/** Without the folder that all of them lie in, and without what operating systems leave behind. */
export function relativeTo(chosen: readonly Chosen[]): Chosen[] {
  const real = chosen.filter(({ path }) => !/(^|\/)(\.|__MACOSX\/|Thumbs\.db$)/.test(path));
  const top = real[0]?.path.split("/")[0] ?? "";
  const common = top !== "" && real.every(({ path }) => path.startsWith(`${top}/`));
  return common ? real.map(({ path, file }) => ({ path: path.slice(top.length + 1), file })) : real;
}
