import { fileURLToPath } from "node:url";

/** What a candidate is told when it is started. */
export interface Place {
  readonly port: number;
  readonly upstreamOrigin: string;
}

export interface Candidate {
  /** The node script to start; null is no gateway: calls go straight to the upstream. */
  readonly script: string | null;
  readonly args: (place: Place) => readonly string[];
  /** The whole environment of the process; nothing is inherited. */
  readonly env: (place: Place) => Readonly<Record<string, string>>;
  /** GET on it answers 200 once the candidate is ready. */
  readonly readyPath: string;
}

export interface BenchRequest {
  readonly path: string;
  /** Calls go round so many paths: the number of each takes the place of `{n}`. */
  readonly paths?: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One candidate under one kind of load: one line of the report. */
export interface Scenario {
  readonly name: string;
  readonly candidate: Candidate;
  readonly request: BenchRequest;
  /** Connections kept busy while CPU is measured. */
  readonly concurrency: number;
  /** The scenario whose CPU per call is 1; null where there is no gateway to measure. */
  readonly baseline: string | null;
  /** The scenario without a gateway, whose latency is taken off. */
  readonly direct: string;
}

/** The scenario `--guard` watches. */
export const GUARDED = "parley envelope";
/** Bare in a second process: how far its ratio is from 1 is the error of the run. */
export const CONTROL = "bare again";

const CONNECTIONS = 32;
/** Each takes a second, so that many are needed to keep a gateway busy. */
const STREAMS = 300;
const PROMPT = "hello, please tell me in one sentence what a gateway is good for";
const JSON_HEADERS = { "content-type": "application/json" };

const direct: Candidate = {
  script: null,
  args: () => [],
  env: () => ({}),
  readyPath: "/healthz",
};

const bare: Candidate = {
  script: scriptAt("./bare-forwarder.ts"),
  args: ({ port, upstreamOrigin }) => [String(port), upstreamOrigin],
  env: () => ({}),
  readyPath: "/healthz",
};

const parley: Candidate = {
  script: scriptAt("../src/main.ts"),
  args: () => [],
  env: ({ port, upstreamOrigin }) => ({
    PORT: String(port),
    HOST: "127.0.0.1",
    API_KEY: "sk-bench",
    OPENAI_URL: `${upstreamOrigin}/v1`,
    // Counted on every call, reached by none.
    SECOND_LIMIT: "1000000",
    MINUTE_LIMIT: "10000000",
    HOUR_LIMIT: "100000000",
  }),
  readyPath: "/healthz",
};

const chatRequest: BenchRequest = {
  path: "/v1/chat/completions",
  headers: { ...JSON_HEADERS, authorization: "Bearer sk-bench" },
  body: JSON.stringify({
    model: "gpt-4o-mini",
    messages: [{ role: "user", content: PROMPT }],
    max_tokens: 100,
  }),
};

/** A prompt as retrieval and code assistants send them. */
const longRequest: BenchRequest = {
  ...chatRequest,
  body: JSON.stringify({
    model: "gpt-4o-mini",
    messages: [{ role: "user", content: `${PROMPT}\n`.repeat(1_600) }],
    max_tokens: 100,
  }),
};

const envelopeRequest: BenchRequest = {
  path: "/",
  headers: JSON_HEADERS,
  body: JSON.stringify({ user_content: PROMPT }),
};

/** A stream of 50 events in a second: see upstream.ts. */
const streamRequest: BenchRequest = {
  ...chatRequest,
  body: JSON.stringify({
    model: "gpt-4o-mini",
    messages: [{ role: "user", content: PROMPT }],
    stream: true,
    stream_options: { include_usage: true },
  }),
};

/** So many chats that no two calls meet in one, and that none is full before the end. */
const turnRequest: BenchRequest = {
  path: "/chat-{n}/chat",
  paths: 900,
  headers: { ...JSON_HEADERS, authorization: "Bearer sk-bench" },
  body: JSON.stringify({ content: PROMPT }),
};

const plain = { concurrency: CONNECTIONS, baseline: "bare", direct: "direct" };

export const scenarios: readonly Scenario[] = [
  { ...plain, name: "direct", candidate: direct, request: chatRequest, baseline: null },
  { ...plain, name: "bare", candidate: bare, request: chatRequest },
  { ...plain, name: CONTROL, candidate: bare, request: chatRequest },
  { ...plain, name: GUARDED, candidate: parley, request: envelopeRequest },
  { ...plain, name: "parley /v1", candidate: parley, request: chatRequest },
  { ...plain, name: "bare 100 KB", candidate: bare, request: longRequest },
  {
    ...plain,
    name: "parley /v1 100 KB",
    candidate: parley,
    request: longRequest,
    baseline: "bare 100 KB",
  },
  { ...plain, name: "parley chats turn", candidate: parley, request: turnRequest },
  {
    ...plain,
    name: "bare stream",
    candidate: bare,
    request: streamRequest,
    concurrency: STREAMS,
  },
  {
    ...plain,
    name: "parley /v1 stream",
    candidate: parley,
    request: streamRequest,
    concurrency: STREAMS,
    baseline: "bare stream",
  },
];

function scriptAt(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
