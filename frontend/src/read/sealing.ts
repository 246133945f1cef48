/** What is kept in the browser is readable to the signed-in reader alone: AES-256-GCM under keys of the server. */

const NONCE_BYTES = 12;

export interface Sealed {
  readonly nonce: Uint8Array<ArrayBuffer>;
  readonly body: ArrayBuffer;
}

const bytesOf = (base64: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

/** Keys as the server hands them out; no script can read them out of the browser again. */
export const keysFrom = (base64: readonly string[]): Promise<CryptoKey[]> =>
  Promise.all(
    base64.map((key) =>
      crypto.subtle.importKey("raw", bytesOf(key), "AES-GCM", false, ["encrypt", "decrypt"]),
    ),
  );

/** An entry opens under its own name only: nobody can put it in another's place. */
const terms = (name: string, nonce: Uint8Array<ArrayBuffer>): AesGcmParams => ({
  name: "AES-GCM",
  iv: nonce,
  additionalData: new TextEncoder().encode(name),
});

/** Seal a value that JSON can hold, with the newest key. */
export const seal = async (keys: readonly CryptoKey[], name: string, value: unknown): Promise<Sealed> => {
  const [key] = keys;
  if (!key) throw new Error("There is no key to seal with");
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const plain = new TextEncoder().encode(JSON.stringify(value));
  return { nonce, body: await crypto.subtle.encrypt(terms(name, nonce), key, plain) };
};

const opened = async (key: CryptoKey, name: string, { nonce, body }: Sealed): Promise<unknown> => {
  const plain = await crypto.subtle.decrypt(terms(name, nonce), key, body);
  return JSON.parse(new TextDecoder().decode(plain));
};

/** Open with whichever key fits; undefined where none does. */
export const unseal = async (keys: readonly CryptoKey[], name: string, sealed: Sealed): Promise<unknown> => {
  for (const key of keys) {
    try {
      return await opened(key, name, sealed);
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
    }
  }
  return undefined;
};
