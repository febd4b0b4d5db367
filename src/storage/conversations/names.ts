import { createHmac } from "node:crypto";
import { ProxyError } from "../../core/errors.ts";
import { deriveBytes, type SecretKeys } from "../accounts/secret-box.ts";
import { isStorable } from "../driver/text.ts";

/** What the names of chats are looked up by. */
export interface NameKeys {
  /**
   * Every key under which a name may have been stored, always as many: the first is for new rows,
   * the others are for rows from before a key or the choice to encrypt changed.
   */
  of(owner: string, name: string): readonly [string, ...string[]];
}

const maxCharacters = 200;

/**
 * Clients choose names after people: user ids, phone numbers, addresses. Where content is sealed a
 * name is sealed too and looked up by a keyed digest, which without SECRET_KEY can neither be
 * guessed nor compared between owners.
 */
export function createNameKeys({ current, old }: SecretKeys, seals: boolean): NameKeys {
  const secrets = current === null ? old : [current, ...old];
  const keys = secrets.map((secret) => deriveBytes(secret, "parley conversation names"));
  return {
    of: (owner, name) => {
      const plain = `p:${name}`;
      const digests = keys.map((key) => digest(key, owner, name));
      const [newest, ...others] = digests;
      return seals && newest !== undefined ? [newest, ...others, plain] : [plain, ...digests];
    },
  };
}

/** NUL cannot be part of a name, so no two pairs read the same. */
function digest(key: Buffer, owner: string, name: string): string {
  return `d:${createHmac("sha256", key).update(`${owner}\0${name}`).digest("base64url")}`;
}

export function isName(name: string): boolean {
  return wrongName(name) === null;
}

/** Why a chat cannot have this name, or null. */
export function wrongName(name: string): ProxyError | null {
  const params = { field: "name", max: maxCharacters };
  if (name === "") return new ProxyError("field_empty", { params });
  if (name.length > maxCharacters) return new ProxyError("field_too_long", { params });
  return isStorable(name) ? null : new ProxyError("bad_request");
}
