/** Security keys: the browser makes or asks one, and its form takes the answer along. JSON as WebAuthn 5.1.9 has it. */

type Json = Record<string, unknown>;

/** Bytes of base64url without padding. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

/** Base64url without padding of bytes. */
export function textOf(bytes: ArrayBuffer): string {
  const plain = Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join("");
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Let every form that wants a key's answer get it before it is sent. */
export function securityKeys(): void {
  for (const form of document.querySelectorAll<HTMLFormElement>("form[data-security-key]")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void answerAndSend(form);
    });
  }
}

async function answerAndSend(form: HTMLFormElement): Promise<void> {
  const told = form.querySelector<HTMLElement>("[data-key-problem]");
  told?.setAttribute("hidden", "");
  try {
    const options = JSON.parse(form.dataset.options ?? "{}") as Json;
    const answer = form.dataset.securityKey === "create" ? await made(options) : await signed(options);
    const field = form.querySelector<HTMLInputElement>("input[name=answer]");
    if (field) field.value = JSON.stringify(answer);
    form.submit();
  } catch {
    told?.removeAttribute("hidden");
  }
}

async function made(options: Json): Promise<Json> {
  const user = options.user as Json;
  const publicKey = {
    ...options,
    challenge: bytesOf(String(options.challenge)),
    user: { ...user, id: bytesOf(String(user.id)) },
    excludeCredentials: named(options.excludeCredentials),
  } as unknown as PublicKeyCredentialCreationOptions;
  const key = (await navigator.credentials.create({ publicKey })) as PublicKeyCredential;
  const response = key.response as AuthenticatorAttestationResponse;
  return described(key, { attestationObject: textOf(response.attestationObject) });
}

async function signed(options: Json): Promise<Json> {
  const publicKey = {
    ...options,
    challenge: bytesOf(String(options.challenge)),
    allowCredentials: named(options.allowCredentials),
  } as unknown as PublicKeyCredentialRequestOptions;
  const key = (await navigator.credentials.get({ publicKey })) as PublicKeyCredential;
  const response = key.response as AuthenticatorAssertionResponse;
  return described(key, {
    authenticatorData: textOf(response.authenticatorData),
    signature: textOf(response.signature),
  });
}

function named(credentials: unknown): unknown[] {
  return ((credentials ?? []) as Json[]).map((one) => ({ ...one, id: bytesOf(String(one.id)) }));
}

function described(key: PublicKeyCredential, response: Json): Json {
  return {
    id: key.id,
    rawId: textOf(key.rawId),
    type: key.type,
    clientExtensionResults: {},
    response: { ...response, clientDataJSON: textOf(key.response.clientDataJSON) },
  };
}
