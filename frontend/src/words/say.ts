/** The reading room's words in the reader's language. */

import { EN } from "./en";
import { ZH } from "./zh";

export type WordKey = keyof typeof EN;
export type Words = Readonly<Record<WordKey, string>>;
export type Language = "en" | "zh-hans";

let words: Words = EN;
let spoken: Language = "en";

/** Speak the page's language: what <html lang> says. */
export const speak = (lang: string): void => {
  spoken = lang.toLowerCase().startsWith("zh") ? "zh-hans" : "en";
  words = spoken === "en" ? EN : ZH;
};

export const language = (): Language => spoken;

/** A phrase, its {names} filled in. */
export const say = (key: WordKey, values: Readonly<Record<string, string | number>> = {}): string =>
  words[key].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));

/** A phrase that counts: key_one for 1, key_many else. */
export const many = (key: CountedKey, count: number): string =>
  say(count === 1 ? `${key}_one` : `${key}_many`, { count });

type Stem<Key> = Key extends `${infer Name}_one` ? Name : never;
export type CountedKey = Stem<WordKey>;
