/** The browser's database of sealed entries: what it says is written is on the disk, also when the browser is killed. */

import { keysFrom, type Sealed, seal, unseal } from "./sealing";

const DATABASE = "fovea-journal";
const STORE = "entries";
/** After every name that begins alike. */
const LAST = "\uffff";

export interface Opened {
  readonly entries: ReadonlyMap<string, unknown>;
  /** How many are sealed with a key that is not at hand. */
  readonly closed: number;
}

export interface Vault {
  /** Keys as the server hands them out; before anything is read or written. */
  unlock(keys: readonly string[]): Promise<void>;
  /** What is kept under names that begin so. */
  read(prefix: string): Promise<Opened>;
  /** All of it or nothing, and settled when it is on the disk; undefined removes. */
  write(changes: ReadonlyMap<string, unknown>): Promise<void>;
}

const result = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

const finished = (transaction: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });

const openDatabase = (): Promise<IDBDatabase> => {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  return result(request);
};

export class BrowserVault implements Vault {
  #keys: readonly CryptoKey[] = [];
  #database: Promise<IDBDatabase> | null = null;

  async unlock(keys: readonly string[]): Promise<void> {
    this.#keys = await keysFrom(keys);
  }

  async read(prefix: string): Promise<Opened> {
    const store = (await this.#open()).transaction(STORE).objectStore(STORE);
    const range = IDBKeyRange.bound(prefix, prefix + LAST);
    const [names, sealed] = await Promise.all([result(store.getAllKeys(range)), result(store.getAll(range))]);
    const values = await Promise.all(
      sealed.map((one: Sealed, nth) => unseal(this.#keys, String(names[nth]), one)),
    );
    const all = values.map((value, nth) => [String(names[nth]), value] as const);
    const entries = new Map(all.filter(([, value]) => value !== undefined));
    return { entries, closed: all.length - entries.size };
  }

  async write(changes: ReadonlyMap<string, unknown>): Promise<void> {
    const sealed = await Promise.all(
      [...changes].map(async ([name, value]) => [name, await this.#sealed(name, value)] as const),
    );
    const transaction = (await this.#open()).transaction(STORE, "readwrite", { durability: "strict" });
    const store = transaction.objectStore(STORE);
    for (const [name, entry] of sealed) {
      if (entry === undefined) store.delete(name);
      else store.put(entry, name);
    }
    transaction.commit();
    await finished(transaction);
  }

  async #sealed(name: string, value: unknown): Promise<Sealed | undefined> {
    return value === undefined ? undefined : seal(this.#keys, name, value);
  }

  /** One connection, opened again where the browser has closed it. */
  async #open(): Promise<IDBDatabase> {
    this.#database ??= openDatabase().then((database) => {
      database.onclose = () => {
        this.#database = null;
      };
      return database;
    });
    try {
      return await this.#database;
    } catch (error) {
      this.#database = null;
      throw error;
    }
  }
}
