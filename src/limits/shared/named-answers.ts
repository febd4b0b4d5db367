import { randomBytes } from "node:crypto";
import type { NamedCall, StoredResponse } from "../../core/ports.ts";
import { shareOf } from "../../core/room.ts";
import { beginScript, freeScript, keepScript } from "./idempotency-script.ts";
import { STORE_TIME } from "./script-time.ts";
import type { Seals } from "./sealed.ts";
import { AWAY, type Away, type Reply, type SharedStore } from "./store.ts";

/** A copy that asks and does not renew its lease for so long is taken for dead. Milliseconds. */
export const ANSWER_LEASE_MS = 30_000;
const REMEMBER_MS = 600_000;
/** Longer than a waiting copy pauses, and than it goes on without the store. */
const FREE_MS = 60_000;

/** Sealed. Larger ones are not kept. */
export const MAX_ANSWER_BYTES = 1_048_576;
const MAX_BYTES = 67_108_864;
/** What a small answer counts: about four times what its record takes beside its bytes. */
const MIN_BYTES = 4_096;

const NAME_BYTES = 16;
const BUCKET_BYTES = 8;

/** What the store says about a named call. An owner is who asks for its answer. */
export type Begun =
  | { readonly kind: "ours"; readonly owner: string }
  | { readonly kind: "asked"; readonly owner: string }
  | { readonly kind: "kept"; readonly owner: string; readonly sealed: Uint8Array }
  | { readonly kind: "mismatch" | "lost" };

/** What a copy knows already of the call that it begins. */
export interface Known {
  /** The owner it has waited for. */
  readonly waited?: string;
  /** The owner whose answer it can't open, and which is to be replaced. */
  readonly unopened?: string;
}

/** One named call in the shared store. */
export interface NamedAnswer {
  /** With an owner of its own: what a late reply has begun is given back. */
  begin(known: Known): Promise<Begun | Away>;
  renew(owner: string): Promise<void>;
  /** False if there is no room. */
  keep(owner: string, response: StoredResponse): Promise<boolean | Away>;
  free(owner: string): Promise<void>;
}

export interface NamedAnswersOptions {
  readonly store: SharedStore;
  readonly seals: Seals;
  /** The time of the store in microseconds, for tests. */
  readonly storeTime?: () => number;
  /** For tests; 64 MiB unless given. */
  readonly maxBytes?: number;
}

/** Named calls as the store has them, under digests and sealed. */
export function createNamedAnswers(options: NamedAnswersOptions): (call: NamedCall) => NamedAnswer {
  const { store, seals, storeTime = () => STORE_TIME, maxBytes = MAX_BYTES } = options;
  const keyOf = (kind: string) => store.key(kind, "answers");
  const shared = ["answers-end", "answers-of", "answers-bytes"].map(keyOf);

  return (call) => {
    const name = seals.digest("name", call.name, NAME_BYTES);
    const request = seals.digest("request", call.fingerprint, NAME_BYTES);
    const record = keyOf(`answer-${name}`);
    const keys = [record, ...shared];
    const begin = (owner: string, { waited = "", unopened = "" }: Known) =>
      [storeTime(), name, owner, request, waited, unopened, ANSWER_LEASE_MS, REMEMBER_MS] as const;
    const free = async (owner: string) => {
      await store.run(freeScript, [record], [owner, FREE_MS]);
    };

    return {
      async begin(known) {
        const owner = randomBytes(NAME_BYTES).toString("hex");
        const onLate = (reply: Reply) => {
          if (begunBy(owner, reply).kind === "ours") void free(owner);
        };
        const reply = await store.run(beginScript, keys, begin(owner, known), { onLate });
        return reply === AWAY ? AWAY : begunBy(owner, reply);
      },
      async renew(owner) {
        await store.run(beginScript, keys, begin(owner, {}));
      },
      async keep(owner, response) {
        const sealed = seals.seal(call, response);
        if (sealed.length > MAX_ANSWER_BYTES) {
          await free(owner);
          return false;
        }
        const bucket = seals.digest("bucket", call.bucket, BUCKET_BYTES);
        const kept = [storeTime(), name, owner, request, bucket, sealed, REMEMBER_MS, FREE_MS];
        const room = [maxBytes, shareOf(maxBytes), MIN_BYTES];
        const reply = await store.run(keepScript, keys, [...kept, ...room]);
        return reply === AWAY ? AWAY : reply === 1;
      },
      free,
    };
  };
}

const KINDS = ["lost", "ours", "asked", "kept", "mismatch"] as const;

/** What can't be understood is taken for lost. */
function begunBy(ours: string, reply: Reply): Begun {
  const [code, owner, sealed] = Array.isArray(reply) ? reply : [];
  const kind = KINDS[typeof code === "number" ? code : 0] ?? "lost";
  if (kind === "ours") return { kind, owner: ours };
  if (kind === "mismatch" || kind === "lost") return { kind };
  const named = Buffer.from(owner).toString("latin1");
  return kind === "kept" ? { kind, owner: named, sealed } : { kind, owner: named };
}
