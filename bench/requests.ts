export interface BenchRequest {
  readonly path: string;
  /** Calls go round so many paths: the number of each takes the place of `{n}`. */
  readonly paths?: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Stands in every answer that is as it should be. */
  readonly expects: string;
}

export const MODEL = "gpt-4o-mini";
/** For this one the upstream begins a stream and then says nothing more. */
export const IDLE_MODEL = "bench-idle";
/** This one the upstream turns down with 400. */
export const REFUSED_MODEL = "bench-refused";
/** What the upstream answers. */
export const ANSWER = "Hello! How can I help you today? Ask me anything you like.";

/** A stream has so many events, so far apart; its end is one piece more. */
export const STREAM_EVENTS = 50;
export const STREAM_GAP_MS = 20;
export const STREAM_CHUNKS = STREAM_EVENTS + 1;

const PROMPT = "hello, please tell me in one sentence what a gateway is good for";
const JSON_TYPE = { "content-type": "application/json" };

/** `POST /v1/chat/completions`, answered at once. */
export function chatRequest(bearer: string, model = MODEL): BenchRequest {
  const body = { model, messages: [{ role: "user", content: PROMPT }], max_tokens: 100 };
  return asChat(bearer, body, ANSWER);
}

/** A prompt of 100 KB, as retrieval and code assistants send them. */
export function longRequest(bearer: string): BenchRequest {
  const content = `${PROMPT}\n`.repeat(1_600);
  const body = { model: MODEL, messages: [{ role: "user", content }], max_tokens: 100 };
  return asChat(bearer, body, ANSWER);
}

/** A stream of 50 events in a second. */
export function streamRequest(bearer: string): BenchRequest {
  const messages = [{ role: "user", content: PROMPT }];
  const body = { model: MODEL, messages, stream: true, stream_options: { include_usage: true } };
  return asChat(bearer, body, "data: [DONE]\n\n");
}

/** The same, answered with one event and then nothing. */
export function idling(stream: BenchRequest): BenchRequest {
  return { ...stream, body: stream.body.replace(MODEL, IDLE_MODEL) };
}

/** Parley's own form: the operator's key, and the answer in an envelope. */
export const envelopeRequest: BenchRequest = {
  path: "/",
  headers: JSON_TYPE,
  body: JSON.stringify({ user_content: PROMPT }),
  expects: ANSWER,
};

/** A turn of a kept chat: so many chats that no two calls meet in one, and none is full too soon. */
export function turnRequest(bearer: string, chats = 900): BenchRequest {
  return {
    path: "/chat-{n}/chat",
    paths: chats,
    headers: { ...JSON_TYPE, authorization: `Bearer ${bearer}` },
    body: JSON.stringify({ content: PROMPT }),
    expects: ANSWER,
  };
}

function asChat(bearer: string, body: object, expects: string): BenchRequest {
  return {
    path: "/v1/chat/completions",
    headers: { ...JSON_TYPE, authorization: `Bearer ${bearer}` },
    body: JSON.stringify(body),
    expects,
  };
}
