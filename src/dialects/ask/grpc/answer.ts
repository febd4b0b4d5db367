import { Metadata, type ServerWritableStream } from "@grpc/grpc-js";
import { ProxyError, toProxyError } from "../../../core/errors.ts";
import type { ModelRules } from "../../../http/body/model-choice.ts";
import type { Identify } from "../../../http/call/credentials.ts";
import type { AskQuestions } from "../questions.ts";
import { parseAsk } from "../wire.ts";
import { createOutlet } from "./backpressure-writer.ts";
import type { Received, Reception } from "./call-interceptor.ts";
import { type AskMessage, type AskResponse, lastOf, piecesOf } from "./messages.ts";
import { createStallWatch } from "./stall-watch.ts";

export interface AnswerOptions {
  readonly questions: AskQuestions;
  readonly rules: ModelRules;
  readonly identify: Identify;
  /** Is told of errors nobody foresaw. */
  readonly report: (requestId: string, error: ProxyError) => void;
}

type AskCall = ServerWritableStream<AskMessage, AskResponse>;

/** The handler of Ask: never throws, for the library would answer with what was thrown. */
export function createAnswer(reception: Reception, options: AnswerOptions) {
  return async function answer(call: AskCall): Promise<void> {
    const received = reception.find(call.metadata);
    const { stream } = received;
    const watch = createStallWatch(stream);
    const outlet = createOutlet(call, stream, watch);
    try {
      for await (const message of answerTo(call, received, options)) await outlet.write(message);
      call.end();
    } catch (thrown) {
      const error = toProxyError(thrown);
      if (error.code === "internal") options.report(received.call.context.requestId, error);
      call.emit("error", received.tell(error));
    }
    watch.waits(); // for the end to be taken
  };
}

async function* answerTo(
  grpcCall: AskCall,
  { call, headers }: Received,
  { questions, rules, identify }: AnswerOptions,
): AsyncGenerator<AskResponse> {
  const { bytes, fields } = grpcCall.request;
  call.hold(bytes);
  if (fields === null) throw new ProxyError("bad_request");
  const conversationId: unknown = Reflect.get(fields, "conversation_id");
  const question = parseAsk(fields, String(conversationId), rules);
  const principal = await identify(call.context.client, headers, question.apiKey);
  const events = await questions.stream(call.open("ask", principal), question);
  // not before: a client that has seen metadata does not try again by itself
  const metadata = new Metadata();
  metadata.set("x-request-id", call.context.requestId);
  grpcCall.sendMetadata(metadata);
  for await (const event of events) {
    if (event.type === "text-delta") yield* piecesOf(event.text);
    if (event.type === "turn-end") yield lastOf(event.turn, question.model);
  }
}
