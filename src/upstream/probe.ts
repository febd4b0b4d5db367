import { ProxyError } from "../core/errors.ts";
import type { Clock } from "../core/ports.ts";
import { reasonOf } from "../core/reason.ts";
import { createRedact } from "../core/redact.ts";
import type { UpstreamSecrets, UpstreamSettings } from "../core/routing/routing.ts";
import { secretParametersIn } from "../core/shown-url.ts";
import type { SentRequests } from "../core/upstream-ports.ts";
import { askUpstream, type UpstreamRequest } from "./ask.ts";
import { createRefusalOf } from "./errors.ts";
import type { OpenAIUpstreamOptions } from "./openai.ts";
import { probeRequest, readProbed } from "./probe-question.ts";
import { parseRefusal, wordsIn } from "./refusal-words.ts";
import { createTransport } from "./transport.ts";

/** An upstream with its secrets. */
export type ProbedUpstream = UpstreamSettings & UpstreamSecrets;

export interface ProbeOptions {
  readonly clock: Clock;
  readonly userAgent: string;
  readonly connectMs: number;
  /** Where the upstream has no time of its own. */
  readonly answerMs: number;
}

/** What one request to an upstream has shown. Holds no secret. */
export interface Probed {
  /** Null: nothing was, since the upstream has no request that is free. */
  readonly asked: "models" | "answer" | null;
  /** Null if nothing was asked. */
  readonly ok: boolean | null;
  /** Until the request was sent: look-up, connection, TLS, proxy. */
  readonly connectMs: number | null;
  /** Until all of the answer had come. */
  readonly latencyMs: number | null;
  readonly status: number | null;
  /** How many the upstream lists. */
  readonly models: number | null;
  /** What went wrong, in the words of the service or of the network. */
  readonly reason: string | null;
}

const NOTHING: Probed = {
  asked: null,
  ok: null,
  connectMs: null,
  latencyMs: null,
  status: null,
  models: null,
  reason: null,
};
/** The longest public list of models has 2 MB. */
const MAX_ANSWER_BYTES = 16_777_216;
const MAX_REASON_CHARACTERS = 300;
/** In what is said of it; a shorter secret would take words apart. */
const MIN_SECRET_CHARACTERS = 4;

/** Asks once, with the first key: for the list of models, or with a model for one paid token of it. */
export async function probeUpstream(
  upstream: ProbedUpstream,
  model: string | null,
  options: ProbeOptions,
): Promise<Probed> {
  const request = probeRequest(upstream, model);
  if (request === null) return NOTHING;
  const { clock } = options;
  const startedMs = clock.monotonicMs();
  let connectMs: number | null = null;
  const sent: SentRequests = {
    get unrefused() {
      return 0;
    },
    set unrefused(_count) {
      connectMs ??= clock.monotonicMs() - startedMs;
    },
  };
  const seen = await ask(upstream, request, sent, options);
  const latencyMs = clock.monotonicMs() - startedMs;
  return {
    asked: model === null ? "models" : "answer",
    ok: seen.reason === null,
    connectMs: connectMs === null ? null : Math.round(connectMs),
    latencyMs: seen.status === null ? null : Math.round(latencyMs),
    ...seen,
  };
}

type Seen = Pick<Probed, "status" | "models" | "reason">;

async function ask(
  upstream: ProbedUpstream,
  request: UpstreamRequest,
  sent: SentRequests,
  options: ProbeOptions,
): Promise<Seen> {
  const [key = ""] = upstream.keys;
  const clean = createCleaner(upstream);
  let refused: Refusal | null = null;
  const way = wayTo(upstream, options, (refusal) => {
    refused = refusal;
  });
  const signal = new AbortController().signal;
  try {
    const response = await askUpstream(way, request, { key, signal, sent, room: NO_ROOM });
    const read = readProbed(await response.body.whole(NO_ROOM), request.method);
    return { status: response.status, ...read, reason: read.reason && clean(read.reason) };
  } catch (error) {
    // TypeScript does not see that the refusal is set
    const { status = null, words = null } = refused ?? ({} as Partial<Refusal>);
    return { status, models: null, reason: clean(words ?? reasonIn(error)) };
  } finally {
    await way.transport.close();
  }
}

interface Refusal {
  readonly status: number;
  readonly words: string | null;
}

function wayTo(
  { kind, url, proxyUrl, headers, answerSeconds }: ProbedUpstream,
  { clock, connectMs, userAgent, answerMs: usualMs }: ProbeOptions,
  onRefused: (refusal: Refusal) => void,
): OpenAIUpstreamOptions {
  const answerMs = answerSeconds === null ? usualMs : answerSeconds * 1_000;
  const redact = createRedact([]);
  const refusalOf = createRefusalOf(redact, clock);
  return {
    transport: createTransport({
      baseUrl: new URL(url),
      proxyUrl: proxyUrl === null ? null : new URL(proxyUrl),
      connectMs,
      idleMs: answerMs,
      totalMs: connectMs + answerMs,
      clock,
    }),
    kind,
    ownHeaders: headers,
    userAgent,
    refusalOf: (refused, paid) => {
      onRefused({ status: refused.status, words: wordsIn(parseRefusal(String(refused.body))) });
      return refusalOf(refused, paid);
    },
    redact,
    cleanName: (name) => name,
    answerMs,
    firstTokenMs: answerMs,
    maxAnswerBytes: MAX_ANSWER_BYTES,
    maxEventBytes: MAX_ANSWER_BYTES,
  };
}

/** One answer at a time, of which only a count is kept. */
const NO_ROOM = {
  begin: () => undefined,
  take: () => undefined,
  arrived: () => undefined,
  drop: () => undefined,
  leave: () => undefined,
};

function createCleaner({ keys, headers, proxyUrl, url }: ProbedUpstream): (text: string) => string {
  const password = proxyUrl === null ? "" : decodeURIComponent(new URL(proxyUrl).password);
  // a scheme such as Bearer stands before what is secret
  const values = Object.values(headers).flatMap((value) => [value, value.split(" ").at(-1) ?? ""]);
  const secrets = [...keys, ...values, password, ...secretParametersIn(new URL(url))];
  const redact = createRedact(secrets.filter((one) => one.length >= MIN_SECRET_CHARACTERS));
  return (text) => redact(text).slice(0, MAX_REASON_CHARACTERS);
}

/** The network's own words, or those of what has failed. */
function reasonIn(error: unknown): string {
  if (!(error instanceof ProxyError)) return reasonOf(error);
  return error.cause === undefined ? error.code.replaceAll("_", " ") : reasonOf(error.cause);
}
