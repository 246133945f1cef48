/** A segmentation as it travels: run-length codes of disjoint classes, slices in the order of patient position. */

export interface Mask {
  /** Slices, rows, columns. */
  readonly shape: readonly number[];
  /** SOP Instance UID of each slice, ascending along the slices' normal; "uid#frame" where an instance has several frames. */
  readonly images: readonly string[];
  /**
   * By class: base64 of LEB128 variable-length integers, the lengths of runs over slices, rows, columns flattened, in
   * turn background and foreground, background first.
   */
  readonly classes: Readonly<Record<string, string>>;
}
