import type { StoredObject, StoredObjects } from "../../core/accounts/stored-objects.ts";
import type { Principal } from "../../core/call/call.ts";
import { fieldError, storageUnavailable } from "../../core/common-errors.ts";
import { ProxyError } from "../../core/errors.ts";

/**
 * Whose the responses and conversations are that the service keeps. Those of tokens belong to the account
 * of a key that others share; what is made with a caller's own key is theirs, and nobody asks here.
 */
export interface StoredOwners {
  /**
   * Throws a 404 unless the token has made what has this id. `field`: where the id stands. Resolves with the
   * name of the upstream that keeps it; undefined for callers with a key of their own.
   */
  check(principal: Principal, id: string, field?: string): Promise<string | undefined>;
  /** The same for what a request refers to; undefined, too, if that is nothing. */
  checkFields(principal: Principal, fields: object): Promise<string | undefined>;
  /** The token has made it there. Resolves when that is durable; never rejects. */
  keep(principal: Principal, made: Made): Promise<void>;
  remove(principal: Principal, id: string): Promise<void>;
  /** Throws if the token may make no further conversation. */
  checkRoom(principal: Principal): Promise<void>;
}

/** What a service has made. */
export interface Made extends Pick<StoredObject, "kind" | "upstream"> {
  readonly id: string;
}

export function createStoredOwners(
  store: StoredObjects,
  digestKey: (key: string) => string,
): StoredOwners {
  // keys are digested, too, and no id may have the digest of one
  const digestOf = (id: string) => digestKey(`stored ${id}`);
  const ownKeyOf = (principal: TokenPrincipal) => {
    const key = principal.found.upstreamKey();
    return key === null ? null : digestKey(key);
  };
  const isTheirs = ({ tokenId, keyDigest }: StoredObject, principal: TokenPrincipal) =>
    tokenId === principal.found.token.id && keyDigest === ownKeyOf(principal);

  const check: StoredOwners["check"] = async (principal, id, field) => {
    if (principal.kind !== "token") return undefined;
    const found = await store.find(digestOf(id)).catch(storageUnavailable);
    if (found !== null && isTheirs(found, principal)) return found.upstream;
    throw notFound(field);
  };
  return {
    check,
    async checkFields(principal, fields) {
      if (principal.kind !== "token") return undefined;
      let upstream: string | undefined;
      for (const { id, field } of idsIn(fields)) {
        const found = await check(principal, id, field);
        upstream ??= found;
        // no service knows what another one keeps
        if (found !== upstream) throw notFound(field);
      }
      return upstream;
    },
    async keep(principal, { id, ...made }) {
      if (principal.kind !== "token") return;
      const tokenId = principal.found.token.id;
      const keyDigest = ownKeyOf(principal);
      await store.keep({ ...made, tokenId, keyDigest, digest: digestOf(id) });
    },
    async remove(principal, id) {
      if (principal.kind !== "token") return;
      // the service has forgotten it: a row that stays gives nothing away
      await store.remove(digestOf(id)).catch(() => undefined);
    },
    async checkRoom(principal) {
      if (principal.kind !== "token") return;
      const { token } = principal.found;
      const { count, max } = await store.conversations(token.id).catch(storageUnavailable);
      if (count >= max) throw new ProxyError("conversations_limited", { params: { max } });
    },
  };
}

type TokenPrincipal = Extract<Principal, { readonly kind: "token" }>;

function notFound(field: string | undefined): ProxyError {
  return field === undefined
    ? new ProxyError("stored_not_found")
    : fieldError("stored_not_found", field);
}

interface NamedId {
  readonly id: string;
  readonly field: string;
}

const PREVIOUS = "previous_response_id";
const CONVERSATION = "conversation";

/** Throws if a service may read another id than the one that is read here. */
function idsIn(fields: object): readonly NamedId[] {
  const previous: unknown = Reflect.get(fields, PREVIOUS);
  const conversation: unknown = Reflect.get(fields, CONVERSATION);
  return [
    ...idIn(previous, PREVIOUS),
    ...(isObject(conversation)
      ? idIn(onlyId(conversation), `${CONVERSATION}.id`)
      : idIn(conversation, CONVERSATION)),
  ];
}

function idIn(id: unknown, field: string): readonly NamedId[] {
  if (id === undefined || id === null) return [];
  if (typeof id === "string") return [{ id, field }];
  throw fieldError("field_type", field, { expected: "string" });
}

function onlyId(conversation: object): unknown {
  const other = Object.keys(conversation).find((name) => name !== "id");
  if (other !== undefined) throw fieldError("field_unknown", `${CONVERSATION}.${other}`);
  return Reflect.get(conversation, "id");
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
