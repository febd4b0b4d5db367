import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";
import type { NamedCall, StoredResponse } from "../../core/ports.ts";

/** What a store outside of this process may see of named calls: digests, and responses that it can't open. */
export interface Seals {
  /** The same in all processes of this installation, and no other can make it. Hexadecimal. */
  digest(kind: string, text: string, bytes: number): string;
  seal(call: NamedCall, response: StoredResponse): Uint8Array;
  /** Null if it was sealed by another caller, for another request or elsewhere, or if it is damaged. */
  open(call: NamedCall, sealed: Uint8Array): StoredResponse | null;
}

const CIPHER = "aes-256-gcm";
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** What precedes the content: the status, and how long the content type is. */
const HEAD_BYTES = 4;

/** `secret` is the installation's. */
export function createSeals(secret: string): Seals {
  const nameKey = derive(secret, "", "parley names of calls");
  const keyOf = ({ seal }: NamedCall) => derive(secret, seal, "parley sealed responses");
  return {
    digest: (kind, text, bytes) =>
      createHmac("sha256", nameKey)
        .update(`${kind}\n${text}`)
        .digest("hex")
        .slice(0, 2 * bytes),
    seal(call, response) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv(CIPHER, keyOf(call), nonce);
      cipher.setAAD(boundTo(call));
      const [head, type] = headOf(response);
      const parts = [cipher.update(head), cipher.update(type), cipher.update(response.bytes)];
      return Buffer.concat([nonce, ...parts, cipher.final(), cipher.getAuthTag()]);
    },
    open(call, sealed) {
      if (sealed.length < NONCE_BYTES + HEAD_BYTES + TAG_BYTES) return null;
      const decipher = createDecipheriv(CIPHER, keyOf(call), sealed.subarray(0, NONCE_BYTES));
      decipher.setAAD(boundTo(call));
      decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
      const opened = decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES));
      try {
        decipher.final();
      } catch {
        return null;
      }
      return responseIn(opened);
    },
  };
}

function derive(secret: string, salt: string, use: string): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", secret, salt, use, KEY_BYTES));
}

/** A response opens under its own name and for its own request only. */
function boundTo({ name, fingerprint }: NamedCall): Uint8Array {
  return Buffer.from(`${name}\n${fingerprint}`);
}

function headOf({ status, contentType }: StoredResponse): readonly [Uint8Array, Uint8Array] {
  const type = Buffer.from(contentType);
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt16BE(status, 0);
  head.writeUInt16BE(type.length, 2);
  return [head, type];
}

function responseIn(opened: Buffer): StoredResponse {
  const typeEnd = HEAD_BYTES + opened.readUInt16BE(2);
  return {
    status: opened.readUInt16BE(0),
    contentType: opened.toString("utf8", HEAD_BYTES, typeEnd),
    bytes: opened.subarray(typeEnd),
  };
}
