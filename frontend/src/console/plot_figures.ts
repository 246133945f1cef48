/** What a page tells its figures: rows by the figure's name, in a JSON script that the server wrote. */

export type Row = Readonly<Record<string, number | string>>;
export type Figures = Readonly<Record<string, readonly Row[]>>;

/** Rows of the script with an id; none where there is no such script. */
export function figuresIn(id: string): Figures {
  const told = document.getElementById(id)?.textContent;
  return told ? (JSON.parse(told) as Figures) : {};
}

/** Different values of a column, in the order in which they come. */
export function namesIn(rows: readonly Row[], column: string): string[] {
  return [...new Set(rows.map((row) => String(row[column] ?? "")))];
}
