/** Entries that earlier versions kept unsealed are sealed once, and removed from where they were. */

import type { Vault } from "./vault";

export type KeyValueStore = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

/** Take over what is kept under names that begin so. */
export const takeOver = async (before: KeyValueStore, vault: Vault, prefix: string): Promise<void> => {
  const names = Array.from({ length: before.length }, (_, nth) => before.key(nth) ?? "").filter((name) =>
    name.startsWith(prefix),
  );
  if (names.length === 0) return;
  await vault.write(new Map(names.map((name) => [name, JSON.parse(before.getItem(name) ?? "null")])));
  for (const name of names) before.removeItem(name);
};
