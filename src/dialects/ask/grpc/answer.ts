import { Metadata, type ServerWritableStream } from "@grpc/grpc-js";
import { ProxyError, toProxyError } from "../../../core/errors.ts";
import type { ModelRules } from "../../../http/body/model-choice.ts";
import type { Identify } from "../../../http/call/credentials.ts";
import type { TreeDialogue } from "../questions.ts";
import { parseAsk } from "../wire.ts";
import { createMessageWriter } from "./backpressure-writer.ts";
import type { AdmittedCall, CallInterceptor } from "./call-interceptor.ts";
import { type AskMessage, type AskResponse, lastOf, piecesOf } from "./messages.ts";

export interface AnswerOptions {
  readonly questions: TreeDialogue;
  readonly rules: ModelRules;
  readonly identify: Identify;
  /** Called with unexpected errors. */
  readonly report: (requestId: string, error: ProxyError) => void;
}

type AskCall = ServerWritableStream<AskMessage, AskResponse>;

/** The handler of Ask. It never throws: the library would send what was thrown. */
export function createAnswer(interceptor: CallInterceptor, options: AnswerOptions) {
  return async function answer(call: AskCall): Promise<void> {
    const admitted = interceptor.find(call.metadata);
    const write = (message: AskResponse, onTaken: () => void) => call.write(message, onTaken);
    const writer = createMessageWriter(write, admitted.stream);
    try {
      for await (const message of answerTo(call, admitted, options)) await writer.write(message);
      call.end();
    } catch (thrown) {
      const error = toProxyError(thrown);
      if (error.code === "internal") options.report(admitted.call.context.requestId, error);
      call.emit("error", admitted.failure(error));
    }
    writer.awaitEnd();
  };
}

async function* answerTo(
  grpcCall: AskCall,
  { call, headers }: AdmittedCall,
  { questions, rules, identify }: AnswerOptions,
): AsyncGenerator<AskResponse> {
  const { bytes, fields } = grpcCall.request;
  call.hold(bytes);
  if (fields === null) throw new ProxyError("bad_request");
  const conversationId: unknown = Reflect.get(fields, "conversation_id");
  const question = parseAsk(fields, String(conversationId), rules);
  const principal = await identify(call.context.client, headers, question.apiKey);
  const events = await questions.stream(call.open("ask", principal), question);
  // not earlier: clients don't retry a call by themselves once they have seen metadata
  const metadata = new Metadata();
  const { requestId, upstream } = call.context;
  metadata.set("x-request-id", requestId);
  if (upstream !== null) metadata.set("x-parley-upstream", upstream);
  grpcCall.sendMetadata(metadata);
  for await (const event of events) {
    if (event.type === "text-delta") yield* piecesOf(event.text);
    if (event.type === "turn-end") yield lastOf(event.turn, question.model);
  }
}
