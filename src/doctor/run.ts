import { reasonOf } from "../core/reason.ts";
import {
  type Arrival,
  type CheckId,
  checkIds,
  type Finding,
  fault,
  type NoAdmin,
  type ReachedWorld,
  type RunCheck,
  skipped,
  type World,
} from "./check.ts";
import { checkAddress } from "./checks/address.ts";
import { checkBody } from "./checks/body.ts";
import { checkCopies } from "./checks/copies.ts";
import { checkGrpc } from "./checks/grpc.ts";
import { checkHangUp } from "./checks/hang-up.ts";
import { checkHeaders } from "./checks/headers.ts";
import { checkName } from "./checks/name.ts";
import { checkPrefix } from "./checks/prefix.ts";
import { checkSafety } from "./checks/safety.ts";
import { checkSilence } from "./checks/silence.ts";
import { checkStorage } from "./checks/storage.ts";
import { checkStream } from "./checks/stream.ts";
import { checkUpstream } from "./checks/upstream.ts";
import { checkWebSocket } from "./checks/websocket.ts";
import type { OperatorHeaders } from "./local.ts";
import { isProxied, type ProxyKind, proxiesIn } from "./proxies.ts";
import { type Answer, jsonObject } from "./public-call.ts";

/** Those that need an answer of Parley; they run side by side. */
const checks = {
  address: checkAddress,
  stream: checkStream,
  silence: checkSilence,
  "hang-up": checkHangUp,
  body: checkBody,
  headers: checkHeaders,
  websocket: checkWebSocket,
  grpc: checkGrpc,
  upstream: checkUpstream,
  storage: checkStorage,
  copies: checkCopies,
  safety: checkSafety,
} as const satisfies Readonly<Record<Exclude<CheckId, "name" | "prefix">, RunCheck>>;

export interface Checked {
  readonly id: CheckId;
  readonly findings: readonly Finding[];
}

export interface Examined {
  readonly checks: readonly Checked[];
  readonly proxies: readonly ProxyKind[];
}

/** Runs the checks named; `onDone` hears of each as it ends. */
export async function examine(
  world: World,
  only: readonly CheckId[],
  onDone: (id: CheckId) => void,
): Promise<Examined> {
  const done = (id: CheckId, findings: readonly Finding[]): Checked => {
    onDone(id);
    return { id, findings };
  };
  const isWanted = ({ id, findings }: Checked) => only.includes(id) || findings.some(isFault);
  const startedMs = world.clock.monotonicMs();
  const first = done("name", await bounded(checkName, world, MAX_NAME_MS));
  if (isBlocked(first.findings))
    return { checks: [first, ...unreached(only, ["name"])], proxies: [] };
  const second = done("prefix", await bounded(checkPrefix, world, MAX_PREFIX_MS));
  const gates = [first, second].filter(isWanted);
  if (isBlocked(second.findings)) {
    const proxies = await proxiesAt(world);
    return { checks: [...gates, ...unreached(only, ["name", "prefix"])], proxies };
  }
  const { reached, proxies } = await reach(world);
  const ids = (Object.keys(checks) as (keyof typeof checks)[]).filter((id) => only.includes(id));
  const leftMs = world.times.limitMs - (world.clock.monotonicMs() - startedMs);
  const rest = ids.map(async (id) => done(id, await bounded(checks[id], reached, leftMs)));
  return { checks: [...gates, ...(await Promise.all(rest))], proxies };
}

async function proxiesAt({ ask }: World): Promise<readonly ProxyKind[]> {
  const answer = await ask("/healthz").catch(() => null);
  return proxiesIn(answer?.headers ?? {}, []);
}

/** The first two checks come one after the other, and all others after them. */
const MAX_NAME_MS = 8_000;
const MAX_PREFIX_MS = 8_000;

const BLOCKING =
  /^(?:check_\w+|name_(?:unknown|nobody|certificate|no_tls)|prefix_(?:broken|unreached|kept|stranger))$/;

/** Nothing else can be seen. */
function isBlocked(findings: readonly Finding[]): boolean {
  return findings.some(({ key }) => BLOCKING.test(key));
}

function isFault({ status }: Finding): boolean {
  return status === "fault";
}

function unreached(only: readonly CheckId[], known: readonly CheckId[]): Checked[] {
  return checkIds
    .filter((id) => only.includes(id) && !known.includes(id))
    .map((id) => ({ id, findings: [skipped("unreached")] }));
}

/** What breaks, or has no end, is a fault of its own and holds up no other check. */
async function bounded<W extends World>(
  run: (world: W) => Promise<readonly Finding[]>,
  world: W,
  limitMs: number,
): Promise<readonly Finding[]> {
  const over = new AbortController();
  const late = world.clock.sleep(limitMs, over.signal).then(() => [fault("check_endless")]);
  const found = run(world).catch((error: unknown) => [
    fault("check_failed", { reason: reasonOf(error) }),
  ]);
  return Promise.race([found, late]).finally(() => over.abort());
}

const MAX_REACH_MS = 5_000;
const UNAUTHORIZED = 401;
const FINE = 200;
/** A token must not cross a public network in the clear. */
const INSIDE =
  /^(?:localhost|127\.[\d.]+|\[::1\]|10\.[\d.]+|192\.168\.[\d.]+|172\.(?:1[6-9]|2\d|3[01])\.[\d.]+|[^.:]+)$/;

/** Finds out about admin rights and what is in between. */
async function reach(world: World) {
  const { ask, local, url } = world;
  const isSafe = url.protocol === "https:" || INSIDE.test(url.hostname);
  const known = await local.operatorHeaders();
  const entered = isSafe ? await enter(world, known) : null;
  const answer = entered?.answer ?? (await quiet(ask("/whoami", { timeoutMs: MAX_REACH_MS })));
  const arrival = entered?.headers ? arrivalIn(answer.text) : null;
  const arrived = arrival?.headers ?? [];
  const reached: ReachedWorld = {
    ...world,
    admin: entered?.headers ?? whyNot(known.length > 0, isSafe, answer.status),
    arrival,
    isProxied: isProxied(answer.headers, arrived),
  };
  return { reached, proxies: proxiesIn(answer.headers, arrived) };
}

interface Entered {
  readonly answer: Answer;
  /** Null: none of them was taken. */
  readonly headers: OperatorHeaders | null;
}

/** The first headers that are taken. Null: there are none. */
async function enter({ ask }: World, known: readonly OperatorHeaders[]): Promise<Entered | null> {
  let refused: Entered | null = null;
  for (const headers of known) {
    const asked = ask("/admin/doctor/request", { headers, timeoutMs: MAX_REACH_MS });
    const answer = await quiet(asked);
    if (answer.status === FINE) return { answer, headers };
    refused = { answer, headers: null };
  }
  return refused;
}

function quiet(asked: Promise<Answer>): Promise<Answer> {
  return asked.catch(() => ({ status: 0, headers: {}, text: "" }));
}

function whyNot(isKnown: boolean, isSafe: boolean, status: number): NoAdmin {
  if (!isKnown) return "admin_unset";
  if (!isSafe) return "admin_plain_http";
  return status === UNAUTHORIZED ? "admin_refused" : "admin_absent";
}

function arrivalIn(text: string): Arrival {
  const { headers, forwarded_for: hops, peer, sent } = jsonObject(text);
  const texts = (value: unknown) => (Array.isArray(value) ? value.map(String) : []);
  return {
    headers: texts(headers),
    forwarded_for: typeof hops === "string" ? hops : null,
    peer: String(peer),
    sent: texts(sent),
  };
}
