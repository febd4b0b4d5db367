import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from "node:crypto";
import { ProxyError } from "../../core/errors.ts";

/** Encrypts what must be read again. `context` (the token's id) binds a text to its row. */
export interface SecretBox {
  seal(text: string, context: string): string;
  open(sealed: string, context: string): string;
  /** Whether the newest key sealed it. */
  isCurrent(sealed: string): boolean;
}

export interface SecretKeys {
  /** SECRET_KEY: seals and opens. Null: nothing can be sealed. */
  readonly current: string | null;
  /** Keys of before, to open what they sealed. */
  readonly old: readonly string[];
}

const algorithm = "aes-256-gcm";
const ivBytes = 12;
const tagBytes = 16;
const minCharacters = 32;
const version = "v1";

/** What is sealed. Each has keys of its own, all derived from the same SECRET_KEY. */
export type Sealed = "upstream key" | "conversation text";

/**
 * AES-256-GCM under keys derived with HKDF; the text names the key that sealed it. The random IVs
 * of 96 bits allow some 2^32 texts a key.
 */
export function createSecretBox(keys: SecretKeys, what: Sealed = "upstream key"): SecretBox {
  const current = keys.current === null ? null : derive(keys.current, what);
  const old = keys.old.map((secret) => derive(secret, what));
  const known = [...(current === null ? [] : [current]), ...old];
  return {
    seal: (text, context) => {
      if (current === null) throw refusal(`SECRET_KEY is not set: no ${what} can be sealed`);
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv(algorithm, current.bytes, iv);
      cipher.setAAD(Buffer.from(context));
      const sealed = Buffer.concat([iv, cipher.update(text, "utf8"), cipher.final()]);
      return [
        version,
        current.id,
        Buffer.concat([sealed, cipher.getAuthTag()]).toString("base64url"),
      ].join(".");
    },
    open: (sealed, context) => {
      const [, id, text = ""] = sealed.split(".");
      const key = known.find((one) => one.id === id);
      if (key === undefined) throw refusal(`no SECRET_KEY opens a stored ${what}`);
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
  // Derived from the key, so that nobody has to name keys; 32 bits tell a handful apart.
  return { id: createHash("sha256").update(bytes).digest("hex").slice(0, 8), bytes };
}

/** A key of 256 bits for one purpose. */
export function deriveBytes(secret: string, purpose: string): Buffer {
  if (secret.length < minCharacters) {
    throw refusal(`SECRET_KEY is shorter than ${minCharacters} characters`);
  }
  return Buffer.from(hkdfSync("sha256", secret, "", purpose, 32));
}

function decrypt(sealed: Buffer, key: Buffer, context: string): string {
  const decipher = createDecipheriv(algorithm, key, sealed.subarray(0, ivBytes));
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(sealed.subarray(-tagBytes));
  const body = sealed.subarray(ivBytes, -tagBytes);
  return Buffer.concat([decipher.update(body), decipher.final()]).toString("utf8");
}

/** The text is for the operator; clients see what the code says. */
function refusal(text: string, cause?: unknown): ProxyError {
  return new ProxyError("internal", {
    details: { reason: "secret_key" },
    cause: new Error(text, { cause }),
  });
}
