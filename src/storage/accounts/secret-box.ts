import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from "node:crypto";
import { ProxyError } from "../../core/errors.ts";

/** Encrypts texts. `context`, such as a token's id, binds a text to its row. */
export interface SecretBox {
  seal(text: string, context: string): string;
  open(sealed: string, context: string): string;
  /** Whether the current key sealed it. */
  isCurrent(sealed: string): boolean;
}

export interface SecretKeys {
  /** SECRET_KEY: seals and opens. Null: sealing throws. */
  readonly current: string | null;
  /** Earlier keys, which only open. */
  readonly old: readonly string[];
}

const ALGORITHM = "aes-256-gcm";
const IV_BYTES = 12;
const TAG_BYTES = 16;
const MIN_CHARACTERS = 32;
const VERSION = "v1";

/** Each kind has keys of its own, all derived from the same SECRET_KEY. */
export type Sealed = "upstream key" | "upstream secret" | "conversation text";

/**
 * AES-256-GCM with keys derived by HKDF. A sealed text names the key that sealed it. Random IVs of
 * 96 bits allow about 2^32 texts per key.
 */
export function createSecretBox(keys: SecretKeys, what: Sealed = "upstream key"): SecretBox {
  const current = keys.current === null ? null : derive(keys.current, what);
  const known = [current, ...keys.old.map((secret) => derive(secret, what))];
  return {
    seal: (text, context) => {
      if (current === null) throw refusal(`SECRET_KEY is not set: no ${what} can be sealed`);
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv(ALGORITHM, current.bytes, iv);
      cipher.setAAD(Buffer.from(context));
      const body = [iv, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()];
      return `${VERSION}.${current.id}.${Buffer.concat(body).toString("base64url")}`;
    },
    open: (sealed, context) => {
      const [, id, text = ""] = sealed.split(".");
      const key = known.find((one) => one?.id === id);
      if (key == null) throw refusal(`no SECRET_KEY opens a stored ${what}`);
      try {
        return decrypt(Buffer.from(text, "base64url"), key.bytes, context);
      } catch (error) {
        throw refusal(`a stored ${what} is damaged or from another row`, error);
      }
    },
    isCurrent: (sealed) => current !== null && sealed.split(".")[1] === current.id,
  };
}

interface Key {
  readonly id: string;
  readonly bytes: Buffer;
}

function derive(secret: string, what: Sealed): Key {
  const bytes = deriveBytes(secret, `parley ${what}s`);
  // Derived from the key, so that nobody has to name keys. 32 bits are enough for a handful.
  return { id: createHash("sha256").update(bytes).digest("hex").slice(0, 8), bytes };
}

/** A key of 256 bits for one purpose. */
export function deriveBytes(secret: string, purpose: string): Buffer {
  if (secret.length < MIN_CHARACTERS) {
    throw refusal(`SECRET_KEY is shorter than ${MIN_CHARACTERS} characters`);
  }
  return Buffer.from(hkdfSync("sha256", secret, "", purpose, 32));
}

function decrypt(sealed: Buffer, key: Buffer, context: string): string {
  const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(0, IV_BYTES));
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
  const body = sealed.subarray(IV_BYTES, -TAG_BYTES);
  return Buffer.concat([decipher.update(body), decipher.final()]).toString("utf8");
}

/** The text is for the operator; clients see the text of the code. */
function refusal(text: string, cause?: unknown): ProxyError {
  return new ProxyError("internal", {
    details: { reason: "secret_key" },
    cause: new Error(text, { cause }),
  });
}
