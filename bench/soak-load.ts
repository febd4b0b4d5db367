import { setTimeout as sleep } from "node:timers/promises";
import { Pool } from "undici";
import { until } from "./load.ts";
import { OWN_KEY } from "./parley.ts";
import {
  type BenchRequest,
  chatRequest,
  envelopeRequest,
  idling,
  REFUSED_MODEL,
  streamRequest,
  turnRequest,
} from "./requests.ts";

/** One kind of call of the mixture. */
interface Kind {
  /** Of every hundred calls, so many are of this kind. */
  readonly share: number;
  readonly request: BenchRequest;
  readonly statuses: readonly number[];
  /** Read so many pieces, wait, and hang up; otherwise the answer is read to its end. */
  readonly hangUp?: { readonly afterPieces: number; readonly waitMs: number };
  /** Statuses that leave a row in the ledger. */
  readonly recorded: readonly number[];
  /** The number in the path, by how many calls of this kind there were. */
  readonly place?: (nth: number) => number;
  /** Calls that all come from one address, and so meet its limits. */
  readonly greedy?: boolean;
}

interface CountedKind extends Kind {
  calls: number;
}

export interface SoakTally {
  calls: number;
  /** Rows that the ledger has to have. */
  rows: number;
  open: number;
  /** What was not as it should be, and how often. */
  readonly surprises: Map<string, number>;
}

export interface SoakLoad {
  readonly tally: SoakTally;
  /** Ends when the last call was made. */
  readonly run: (minutes: number, callsPerSecond: number) => Promise<void>;
  /** Once every answer was read. */
  readonly close: () => Promise<void>;
}

// So many that buckets of the limiter come all the time, and few enough that they are all there
// after minutes: what grows after that is no bucket.
const ADDRESSES = 50_000;
/** A prime, so that the kinds are spread out: neighbours in time are of different kinds. */
const STRIDE = 37;
/** A prime, so that a step of eight reaches every chat. */
const CHATS = 41;
const SURPRISES_MAX = 50;

export function createSoakLoad(origin: string, token: string): SoakLoad {
  const pool = new Pool(origin, { connections: 2_000 });
  const tally: SoakTally = { calls: 0, rows: 0, open: 0, surprises: new Map() };
  const kinds = kindsOf(token).map((kind): CountedKind => ({ ...kind, calls: 0 }));
  const cycle = kinds.flatMap((kind) => Array.from({ length: kind.share }, () => kind));

  const surprise = (what: string) => {
    const before = tally.surprises.get(what);
    if (before !== undefined || tally.surprises.size < SURPRISES_MAX) {
      tally.surprises.set(what, (before ?? 0) + 1);
    }
  };
  const call = async (number: number) => {
    const kind = cycle[(number * STRIDE) % cycle.length];
    if (kind !== undefined) await make(kind, number);
  };
  const make = async (kind: CountedKind, number: number) => {
    tally.open += 1;
    kind.calls += 1;
    try {
      const status = await exchange(pool, kind, kind.calls, addressOf(number, kind));
      tally.calls += 1;
      if (kind.recorded.includes(status)) tally.rows += 1;
      if (!kind.statuses.includes(status)) surprise(`${kind.request.path}: ${status}`);
    } catch (error) {
      surprise(`${kind.request.path}: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      tally.open -= 1;
    }
  };

  return {
    tally,
    async run(minutes, callsPerSecond) {
      const startMs = performance.now();
      const total = Math.round(minutes * 60 * callsPerSecond);
      for (let number = 0; number < total; number++) {
        await until(startMs + (number * 1_000) / callsPerSecond);
        void call(number);
      }
    },
    async close() {
      while (tally.open > 0) await sleep(50);
      await pool.close();
    },
  };
}

/** Shares add up to a hundred. */
function kindsOf(token: string): readonly Kind[] {
  const ok = { statuses: [200], recorded: [200] };
  const hangUp = { afterPieces: 20, waitMs: 0 };
  const idle = { afterPieces: 1, waitMs: 20_000 };
  // Eight turns to each clearing: this one is always half a second away from the turns.
  const place = (nth: number) => nth * 8 + 20;
  const clear = { ...turnRequest(token, CHATS), path: "/chat-{n}/clear" };
  const badJson = { ...chatRequest(token), body: '{"model": ' };
  return [
    { ...ok, share: 30, request: chatRequest(token) },
    { ...ok, share: 10, request: chatRequest(OWN_KEY) },
    { ...ok, share: 27, request: envelopeRequest },
    { ...ok, share: 12, request: streamRequest(token) },
    { ...ok, share: 4, request: streamRequest(token), hangUp },
    { ...ok, share: 1, request: idling(streamRequest(OWN_KEY)), hangUp: idle },
    // On a machine that stands still for a moment, a turn may meet another or the clearing.
    {
      share: 8,
      request: turnRequest(token, CHATS),
      statuses: [200, 404, 409],
      recorded: [200, 404],
    },
    { share: 1, request: clear, place, statuses: [200, 204], recorded: [] },
    { share: 2, request: badJson, statuses: [400], recorded: [] },
    { share: 1, request: chatRequest("parley-wrong"), statuses: [401], recorded: [] },
    { share: 1, request: chatRequest(OWN_KEY, REFUSED_MODEL), statuses: [400], recorded: [400] },
    { share: 3, request: envelopeRequest, statuses: [200, 429], recorded: [200], greedy: true },
  ];
}

/** The status of the answer, once it was read as far as its kind wants. */
async function exchange(pool: Pool, kind: Kind, nth: number, address: string): Promise<number> {
  const { path, paths = 1, headers, body: content } = kind.request;
  const { statusCode, body } = await pool.request({
    method: "POST",
    path: path.replace("{n}", String((kind.place?.(nth) ?? nth) % paths)),
    headers: { ...headers, "x-forwarded-for": address },
    body: content,
  });
  if (kind.hangUp === undefined || statusCode !== 200) {
    await body.dump({ limit: 1_000_000 });
    return statusCode;
  }
  let pieces = 0;
  // What comes of hanging up is an error of ours, not of theirs.
  body.on("error", () => undefined);
  for await (const _piece of body) {
    pieces += 1;
    if (pieces < kind.hangUp.afterPieces) continue;
    await sleep(kind.hangUp.waitMs);
    break;
  }
  return statusCode;
}

/** IPv4 and IPv6 in turns, each a bucket of its own. */
function addressOf(number: number, { greedy }: Kind): string {
  if (greedy) return "192.0.2.1";
  const host = number % ADDRESSES;
  if (host % 2 === 0) return `10.${host >> 16}.${(host >> 8) & 255}.${host & 255}`;
  return `2001:db8:${host.toString(16)}::1`;
}
