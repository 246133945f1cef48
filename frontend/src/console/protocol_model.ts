/** A protocol while it is edited: rows of JSON that may not make sense yet, and the edits that the form makes. Pure. */

export type Row = Readonly<Record<string, unknown>>;

export interface ProtocolDocument {
  readonly questions: readonly Row[];
  readonly settings: Row;
}

export interface Kind {
  readonly kind: string;
  readonly words: string;
  readonly hint: string;
}

export const PLAIN_KINDS: readonly Kind[] = [
  { kind: "single", words: "One answer", hint: "One of the choices; digits choose it" },
  { kind: "ordinal", words: "One answer, in order", hint: "A grade: the choices stand from low to high" },
  { kind: "multi", words: "Several answers", hint: "Any of the choices" },
  { kind: "number", words: "Number", hint: "With its unit" },
  { kind: "text", words: "Words", hint: "Free text" },
];

export const KINDS: readonly Kind[] = [
  ...PLAIN_KINDS,
  { kind: "point", words: "Point", hint: "A place, and the pixel there" },
  { kind: "line", words: "Length", hint: "A line, in mm" },
  { kind: "bidirectional", words: "Two diameters", hint: "The longest one, and the one across it, in mm" },
  { kind: "angle", words: "Angle", hint: "Three points, or two lines (Cobb)" },
  { kind: "box", words: "Box", hint: "Drawn by one drag" },
  { kind: "ellipse", words: "Ellipse", hint: "With area and pixel values" },
  { kind: "polygon", words: "Polygon", hint: "Corner by corner" },
  { kind: "freehand", words: "Freehand outline", hint: "Drawn in one stroke" },
  { kind: "segmentation", words: "Segmentation", hint: "Classes painted on the images" },
  { kind: "computed", words: "Computed", hint: "From other answers, by the server" },
];

const PLAIN = PLAIN_KINDS.map(({ kind }) => kind);
const COMMON = ["key", "prompt", "required", "help", "when"];

/** Which field of a kind lists what can be chosen or drawn, and how one of them is called. */
export const listOf = (kind: unknown): { readonly field: string; readonly one: string } | null => {
  if (kind === "single" || kind === "ordinal" || kind === "multi") return { field: "choices", one: "choice" };
  if (kind === "segmentation") return { field: "classes", one: "class" };
  return isDrawn(kind) ? { field: "labels", one: "label" } : null;
};

export const isPlainKind = (kind: unknown): boolean => PLAIN.some((one) => one === kind);

/** Kinds of which regions are drawn. */
export const isDrawn = (kind: unknown): boolean =>
  !isPlainKind(kind) && kind !== "segmentation" && kind !== "computed" && kind !== undefined;

export const isLimited = (kind: unknown): boolean => kind === "multi" || kind === "number" || isDrawn(kind);

export const wordsOf = (kind: unknown): string =>
  KINDS.find((one) => one.kind === kind)?.words ?? String(kind ?? "no kind");

const isRow = (value: unknown): value is Row =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Rows of a field that should be a list of them. */
export const rowsOf = (row: Row, field: string): readonly Row[] => {
  const value = row[field];
  return Array.isArray(value) ? value.filter(isRow) : [];
};

export const rowOf = (row: Row, field: string): Row | null => {
  const value = row[field];
  return isRow(value) ? value : null;
};

export const textOf = (row: Row, field: string): string => {
  const value = row[field];
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
};

/** raises: SyntaxError, or Error where the JSON is no protocol. */
export const parsed = (text: string): ProtocolDocument => {
  const value: unknown = JSON.parse(text);
  if (!isRow(value) || !Array.isArray(value.questions) || !value.questions.every(isRow))
    throw new Error('A protocol is {"questions": [{…}, …], "settings": {…}}');
  return { ...value, questions: value.questions, settings: rowOf(value, "settings") ?? {} };
};

export const written = ({ settings, ...rest }: ProtocolDocument): string =>
  JSON.stringify(Object.keys(settings).length > 0 ? { ...rest, settings } : rest, null, 2);

/** The row with a field set, or without it where the value says nothing. */
export const withField = (row: Row, field: string, value: unknown): Row => {
  const { [field]: _old, ...rest } = row;
  if (value === undefined || value === null || value === "") return rest;
  return field in row ? { ...row, [field]: value } : { ...rest, [field]: value };
};

export const replaced = <T>(list: readonly T[], at: number, value: T): readonly T[] =>
  list.map((one, place) => (place === at ? value : one));

export const without = <T>(list: readonly T[], at: number): readonly T[] =>
  list.filter((_, place) => place !== at);

export const inserted = <T>(list: readonly T[], at: number, value: T): readonly T[] => [
  ...list.slice(0, at),
  value,
  ...list.slice(at),
];

/** The list with one item a place up (−1) or down (1); unchanged at its ends. */
export const moved = <T>(list: readonly T[], at: number, by: -1 | 1): readonly T[] => {
  const [item, other] = [list[at], list[at + by]];
  if (item === undefined || other === undefined) return list;
  return replaced(replaced(list, at, other), at + by, item);
};

/** What is stored for words: lower case letters of any script, digits, underscores. */
export const valueFrom = (words: string): string =>
  words
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "_")
    .replace(/^_+|_+$/g, "");

/** A key for a question: as the server wants it. */
export const keyFrom = (words: string): string => {
  const plain = words.normalize("NFD").replace(/[\u0300-\u036f]/g, "");
  const key = valueFrom(plain.replace(/[^\x20-\x7e]/g, " "))
    .replace(/^[^a-z]+/, "")
    .slice(0, 40);
  return key.replace(/_+$/, "");
};

/** The name, or the name with the first number that makes it unlike all others. */
export const unlike = (name: string, others: readonly string[]): string => {
  if (!others.includes(name)) return name;
  let number = 2;
  while (others.includes(`${name.slice(0, 36)}_${number}`)) number += 1;
  return `${name.slice(0, 36)}_${number}`;
};

const keysOf = (questions: readonly Row[]): string[] => questions.map((one) => textOf(one, "key"));

const TWO = [
  { value: "yes", label: "Yes" },
  { value: "no", label: "No" },
];
const ONE = [{ value: "finding", label: "Finding" }];

/** What can be chosen or drawn, taken over from whatever the old kind called it; colours are of what is drawn. */
const entriesOf = (field: string, old: Row): readonly Row[] => {
  const listed = ["choices", "labels", "classes"].flatMap((name) => rowsOf(old, name));
  if (field !== "choices") return listed.length > 0 ? listed : ONE;
  return listed.length > 0 ? listed.map(({ value, label }) => ({ value, label })) : TWO;
};

/** What a kind needs besides what all have; what another kind had of it is kept. */
const partsOf = (kind: string, old: Row): Row => {
  const list = listOf(kind);
  const formula = rowOf(old, "formula") ?? { op: "largest", of: "", measure: "" };
  return {
    ...(list ? { [list.field]: entriesOf(list.field, old) } : {}),
    ...(isDrawn(kind) && "attributes" in old ? { attributes: old.attributes } : {}),
    ...(isPlainKind(kind) && old.scope === "image" ? { scope: "image" } : {}),
    ...(kind === "computed" ? { formula } : {}),
  };
};

/** The question as one of another kind. */
export const asKind = (row: Row, kind: string): Row => {
  const common = Object.fromEntries(
    COMMON.filter((field) => field in row).map((field) => [field, row[field]]),
  );
  return { ...common, kind, ...partsOf(kind, row) };
};

export const newQuestion = (kind: string, questions: readonly Row[]): Row =>
  asKind({ key: unlike(`question_${questions.length + 1}`, keysOf(questions)), prompt: "" }, kind);

export const copyOf = (question: Row, questions: readonly Row[]): Row => ({
  ...question,
  key: unlike(textOf(question, "key") || "question", keysOf(questions)),
});

/** The prompt changed: a key that was made from it goes with it, as long as nobody answered to it. */
export const withPrompt = (
  question: Row,
  prompt: string,
  isFree: boolean,
  others: readonly string[],
): Row => {
  const old = textOf(question, "key");
  const made = keyFrom(textOf(question, "prompt"));
  const follows = isFree && (/^question_\d+$/.test(old) || old === made || old.startsWith(`${made}_`));
  const key = keyFrom(prompt);
  return { ...question, prompt, key: follows && key !== "" ? unlike(key, others) : old };
};

/** The same of a choice: its value goes with its label. */
export const withLabel = (choice: Row, label: string, isFree: boolean): Row => {
  const follows = isFree && textOf(choice, "value") === valueFrom(textOf(choice, "label"));
  return follows ? { ...choice, label, value: valueFrom(label) } : { ...choice, label };
};
