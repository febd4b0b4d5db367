/** One question over HTTP in each dialect, whole and as a stream, and what came back, read strictly. */
import { expect } from "vitest";
import { z } from "zod";
import { canary } from "../../support/faults.ts";
import { deadline, type OpenStream, openStream } from "../../support/http.ts";
import { type Kind, prompt, type Surface, type Told, WAIT_MS, type Who } from "./surface.ts";

interface HttpDialect {
  readonly name: string;
  readonly path: string;
  /** A chat takes one question at a time. */
  readonly streamPath?: string;
  readonly kinds: readonly [whole: Kind, streamed: Kind];
  body(streamed: boolean): object;
  readonly headers: (who: Who) => Record<string, string>;
  /** A failure in the dialect's form, as its code. */
  readonly failure: z.ZodType<string>;
  readonly textOf: (answer: unknown) => string;
  readonly deltaOf: (event: unknown) => string | undefined;
  /** The last event of a whole stream, if it is not [DONE]. */
  readonly isEnd?: (event: unknown) => boolean;
}

const text = z.string().min(1);
const bearer = ({ credential }: Who) => ({ authorization: `Bearer ${credential}` });
const at = (value: unknown, ...names: readonly (string | number)[]): unknown =>
  names.reduce<unknown>((found, name) => Reflect.get(Object(found), name), value);
const textAt =
  (...names: readonly (string | number)[]) =>
  (value: unknown) =>
    String(at(value, ...names) ?? "");
const deltaAt =
  (...names: readonly (string | number)[]) =>
  (value: unknown) => {
    const found = at(value, ...names);
    return typeof found === "string" ? found : undefined;
  };

/** OpenAI's names for our codes. */
const ours: Readonly<Record<string, string>> = {
  invalid_api_key: "key_rejected",
  rate_limit_exceeded: "upstream_rate_limited",
  insufficient_quota: "key_exhausted",
};
/** The upstream's own object may have more. */
const openaiError = z.looseObject({
  message: text,
  type: text,
  param: z.string().nullable(),
  code: z.union([z.string(), z.number()]).nullable(),
});
const codeOf = ({ message, code }: { message: string; code: string | number | null }) =>
  message.startsWith(canary) ? "its words" : (ours[code ?? ""] ?? String(code));

const anthropicError = z.looseObject({
  message: text,
  type: z.string().regex(/^[a-z_]+_error$|^request_too_large$/),
  details: z.looseObject({ error_code: text }).optional(),
});

const messages = [{ role: "user", content: prompt }];
const dialects: readonly HttpDialect[] = [
  {
    name: "envelope",
    path: "/",
    kinds: ["whole", "typed"],
    body: (stream) => ({ user_content: prompt, stream }),
    headers: bearer,
    failure: z
      .strictObject({
        code: z.int().min(400),
        msg: text,
        data: z.looseObject({ response: text, error: text }),
      })
      .transform(({ data }) => data.error),
    textOf: textAt("data", "response"),
    deltaOf: deltaAt("data", "delta"),
  },
  {
    name: "chats",
    path: "/travel/chat",
    streamPath: "/work/chat",
    kinds: ["whole", "typed"],
    body: (stream) => ({ content: prompt, stream }),
    headers: bearer,
    failure: z.looseObject({ error: text, code: text }).transform(({ code }) => code),
    textOf: textAt("content"),
    deltaOf: deltaAt("delta"),
  },
  {
    name: "ask",
    path: "/ask/new",
    kinds: ["whole", "typed"],
    body: (stream) => ({ prompt, stream }),
    headers: bearer,
    failure: z.looseObject({ response: text, detail: text }).transform(({ detail }) => detail),
    textOf: textAt("message"),
    deltaOf: deltaAt("delta"),
  },
  {
    name: "completion",
    path: "/chat_complete",
    kinds: ["whole", "relayed"],
    body: (stream) => ({ prompt, generate_params: stream ? { stream } : {} }),
    headers: ({ credential, accessToken, isKey }) =>
      isKey
        ? { "access-token": accessToken, "openai-token": credential }
        : { "access-token": credential },
    failure: z
      .looseObject({ text, status: z.literal("error"), code: text })
      .transform(({ code }) => code),
    textOf: textAt("text"),
    deltaOf: (event) => (at(event, "status") === "ok" ? deltaAt("text")(event) : undefined),
  },
  {
    name: "/v1/chat",
    path: "/v1/chat/completions",
    kinds: ["bytes", "stream of bytes"],
    body: (stream) => ({ model: "gpt-4o-mini", messages, stream }),
    headers: bearer,
    failure: z.strictObject({ error: openaiError }).transform(({ error }) => codeOf(error)),
    textOf: textAt("choices", 0, "message", "content"),
    deltaOf: deltaAt("choices", 0, "delta", "content"),
  },
  {
    name: "/v1/responses",
    path: "/v1/responses",
    kinds: ["bytes", "stream of bytes"],
    body: (stream) => ({ model: "gpt-4o-mini", input: prompt, stream }),
    headers: bearer,
    failure: z.union([
      z.strictObject({ error: openaiError }).transform(({ error }) => codeOf(error)),
      z
        .strictObject({
          type: z.literal("error"),
          message: text,
          code: z.string().nullable(),
          param: z.string().nullable(),
          sequence_number: z.int().min(0),
        })
        .transform(codeOf),
    ]),
    textOf: textAt("output", 0, "content", 0, "text"),
    deltaOf: (event) =>
      at(event, "type") === "response.output_text.delta" ? deltaAt("delta")(event) : undefined,
    isEnd: (event) => at(event, "type") === "response.completed",
  },
  {
    name: "/v1/messages",
    path: "/v1/messages",
    kinds: ["whole", "translated"],
    body: (stream) => ({ model: "gpt-4o-mini", max_tokens: 100, messages, stream }),
    headers: ({ credential }) => ({ "x-api-key": credential }),
    failure: z
      .strictObject({ type: z.literal("error"), error: anthropicError, request_id: text })
      .transform(({ error }) =>
        error.message.startsWith(canary) ? "its words" : (error.details?.error_code ?? error.type),
      ),
    textOf: textAt("content", 0, "text"),
    deltaOf: deltaAt("delta", "text"),
    isEnd: (event) => at(event, "type") === "message_stop",
  },
];

export const httpSurfaces: readonly Surface[] = dialects.flatMap((dialect) => {
  const { name, kinds } = dialect;
  return [
    { name: `${name}, JSON`, kind: kinds[0], ask: (who: Who) => askWhole(dialect, who) },
    { name: `${name}, SSE`, kind: kinds[1], ask: (who: Who) => askStreamed(dialect, who) },
  ];
});

async function askWhole(dialect: HttpDialect, who: Who): Promise<Told> {
  const { head, body } = await exchange(dialect, dialect.path, who, false);
  if (body === null) return cutOff(head);
  if (head.status !== 200) return refused(dialect, head, body);
  const text = dialect.textOf(parseOr(body));
  return { ...headOf(head), raw: rawOf(head, body), how: "200 answer", text };
}

async function askStreamed(dialect: HttpDialect, who: Who): Promise<Told> {
  const { head, body } = await exchange(dialect, dialect.streamPath ?? dialect.path, who, true);
  if (body === null) return cutOff(head);
  if (head.status !== 200) return refused(dialect, head, body);
  const told = { ...headOf(head), raw: rawOf(head, body) };
  if (!String(head.headers["content-type"]).startsWith("text/event-stream")) {
    return { ...told, how: "200 answer", text: dialect.textOf(parseOr(body)) };
  }
  const blocks = body.split(/\r?\n\r?\n/).flatMap((block) => dataOf(block) ?? []);
  const last = blocks.at(-1) ?? "";
  const events = blocks.filter((data) => data !== "[DONE]").map(parseOr);
  const { isEnd = () => false } = dialect;
  const said = events.map((event) => dialect.deltaOf(event) ?? "").join("");
  if (last === "[DONE]" || isEnd(events.at(-1))) return { ...told, how: "200 answer", text: said };
  const failure = dialect.failure.safeParse(events.at(-1));
  return { ...told, how: `200, then ${failure.data ?? `no form: ${last}`}`, text: said };
}

/** The body is null if its connection was cut. */
async function exchange(dialect: HttpDialect, path: string, who: Who, streamed: boolean) {
  const headers = dialect.headers(who);
  const head = await openStream(who.origin + path, dialect.body(streamed), { headers });
  return {
    head,
    body: await deadline(
      head.text().catch(() => null),
      WAIT_MS,
      path,
    ),
  };
}

function cutOff(head: Head): Told {
  return { ...headOf(head), how: `${head.status}, then nothing`, text: "", raw: rawOf(head, "") };
}

type Head = Pick<OpenStream, "status" | "headers">;

function refused(dialect: HttpDialect, head: Head, body: string): Told {
  expect(head.headers["content-type"]).toMatch(/^application\/json/);
  const failure = dialect.failure.safeParse(parseOr(body));
  const how = `${head.status} ${failure.data ?? `no form: ${body}`}`;
  return { ...headOf(head), how, text: "", raw: rawOf(head, body) };
}

function headOf({ headers }: Head): Pick<Told, "requestId" | "retryAfter"> {
  return {
    requestId: String(headers["x-request-id"]),
    retryAfter: headers["retry-after"] === undefined ? null : Number(headers["retry-after"]),
  };
}

const rawOf = ({ headers }: Head, body: string) => JSON.stringify(headers) + body;

function dataOf(block: string): string | null {
  const lines = block.split(/\r?\n/).filter((line) => line.startsWith("data:"));
  return lines.length === 0 ? null : lines.map((line) => line.replace(/^data: ?/, "")).join("\n");
}

/** A stream of /v1 may have an event that is no JSON: the upstream's own, before the failure. */
function parseOr(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}
