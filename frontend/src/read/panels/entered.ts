/** A field's text, left alone while it already says the same: typing is never overwritten. */

import { noChange } from "lit";
import { Directive, type DirectiveParameters, directive, type ElementPart } from "lit/directive.js";

type Field = HTMLInputElement | HTMLTextAreaElement;

/** What was typed as a number: a comma is a point; what is no number stays as it is, to be mended. */
export const numberIn = (text: string): number | string | undefined => {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  const value = Number(trimmed.replace(",", "."));
  return Number.isFinite(value) ? value : trimmed;
};

class Entered extends Directive {
  render(_answer: unknown, _read: (text: string) => unknown): typeof noChange {
    return noChange;
  }

  override update(part: ElementPart, [answer, read]: DirectiveParameters<this>): typeof noChange {
    const field = part.element as Field;
    if (read(field.value) !== answer) field.value = answer === undefined ? "" : String(answer);
    return noChange;
  }
}

export const entered = directive(Entered);
