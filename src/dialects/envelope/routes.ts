import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { ProxyError, toProxyError } from "../../core/errors.ts";
import type { AnswerEvent } from "../../core/messages.ts";
import type { Pipeline } from "../../core/pipeline.ts";
import type { Language, Translate } from "../../locales.ts";
import type { Dialect, Route, WriteError } from "../dialect.ts";
import { answer, answerHeaders, retryHeaders } from "../edge/answer-headers.ts";
import { expectedBytes, readJson } from "../edge/body.ts";
import type { Identify } from "../edge/credentials.ts";
import { type EventStream, openEventStream } from "../edge/event-stream.ts";
import type { AppContext } from "../edge/facts.ts";
import { openCall } from "../edge/open-call.ts";
import type { OpenCalls } from "../edge/open-calls.ts";
import { envelopeStatus, writeFailure } from "./errors.ts";
import { type EnvelopeLimits, type EnvelopeQuestion, parseQuestion, writeAnswer } from "./wire.ts";

export interface EnvelopeOptions {
  /** `/` or `/api`. */
  readonly route: string;
  readonly limits: EnvelopeLimits;
  readonly maxBodyBytes: number;
  readonly pipeline: Pipeline;
  readonly identify: Identify;
  readonly openCalls: OpenCalls;
  readonly translate: Translate;
}

const JSON_TYPE = "application/json; charset=utf-8";

/** `POST /{ROUTE}`: `{code, msg, data}`, as clients of the envelope API have spoken it since 2023. */
export function createEnvelope(options: EnvelopeOptions): Dialect {
  const { route, limits, maxBodyBytes, pipeline, identify, openCalls, translate } = options;
  const writeError = createEnvelopeErrors(translate);

  const ask = async (c: AppContext): Promise<Response> => {
    const { incoming, outgoing } = c.env;
    const facts = c.get("facts");
    const open = openCall(c, "envelope", openCalls);
    openCalls.hold(outgoing, expectedBytes(incoming, maxBodyBytes));
    const question = parseQuestion(await readJson(incoming, maxBodyBytes), limits);
    const call = open(await identify(facts.client, incoming.headers, question.apiKey));
    if (question.stream) {
      return streamAnswer(c, question, await pipeline.stream(call, question.request));
    }
    const completion = await pipeline.complete(call, question.request);
    const said = writeAnswer(translate(facts.language, "success"), question, completion);
    return answer(200, JSON.stringify(said), answerHeaders(facts, JSON_TYPE));
  };

  const streamAnswer = async (
    c: AppContext,
    question: EnvelopeQuestion,
    events: AsyncIterable<AnswerEvent>,
  ): Promise<Response> => {
    const { language } = c.get("facts");
    const stream = openEventStream(c.env.outgoing, answerHeaders(c.get("facts"), ""));
    try {
      await writeEvents(stream, events, question, translate(language, "success"));
    } catch (thrown) {
      const error = toProxyError(thrown);
      // not waited for: a reader that has stopped reading is cut off by its own deadline
      if (error.code !== "canceled") {
        stream.sendLast(JSON.stringify(failureOf(translate, language, c, error)));
      }
    }
    stream.end();
    return RESPONSE_ALREADY_SENT as Response; // node-server's mark that the socket was written to
  };

  const forbid = (c: AppContext) => writeError(c, new ProxyError("route_forbidden"));
  const paths = route === "/" ? ["/"] : [route, `${route}/`];
  const routes = paths.flatMap((path): Route[] => [
    { method: "POST", path, counted: true, handle: ask },
    { method: "GET", path, counted: false, refuses: true, handle: forbid },
  ]);
  return { name: "envelope", routes, writeError };
}

/** Also answers every path that nothing else does. */
export function createEnvelopeErrors(translate: Translate): WriteError {
  return (c, error) => {
    const facts = c.get("facts");
    const headers = answerHeaders(facts, JSON_TYPE);
    if (error.retryAfterMs !== undefined) Object.assign(headers, retryHeaders(error.retryAfterMs));
    if (error.code === "method_not_allowed") headers.allow = String(error.facts.allow);
    const body = JSON.stringify(failureOf(translate, facts.language, c, error));
    return answer(envelopeStatus[error.code], body, headers);
  };
}

function failureOf(translate: Translate, language: Language, c: AppContext, error: ProxyError) {
  const params = { ...error.params, requestId: c.get("facts").requestId };
  const reason = translate(language, `error.${error.code}`, params);
  return writeFailure(error, translate(language, "failed"), reason);
}

async function writeEvents(
  stream: EventStream,
  events: AsyncIterable<AnswerEvent>,
  question: EnvelopeQuestion,
  message: string,
): Promise<void> {
  for await (const event of events) {
    if (event.type === "text-delta") {
      const data = { delta: event.text };
      await stream.send(JSON.stringify({ code: 200, msg: message, data }));
    } else if (event.type === "answer-end") {
      const { data, ...rest } = writeAnswer(message, question, event.completion);
      const last = { ...rest, data: { ...data, done: true }, done: true };
      await stream.send(JSON.stringify(last));
    }
  }
  await stream.send("[DONE]");
}
