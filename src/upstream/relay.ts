import { abortReason, ProxyError } from "../core/errors.ts";
import type { Relay, RelayAnswer } from "../core/ports.ts";
import { askUpstream, type UpstreamAnswer } from "./ask.ts";
import { fromApiError } from "./errors.ts";
import { EventPieces } from "./event-pieces.ts";
import { createEventScanner } from "./event-scanner.ts";
import { scanJson } from "./json-scanner.ts";
import type { OpenAIUpstreamOptions } from "./openai.ts";

/** Bytes through, with a scanner beside them that reads usage. */
export function createRelay(options: OpenAIUpstreamOptions): Relay {
  const { transport, answerMs, firstTokenMs, maxAnswerBytes, maxEventBytes } = options;
  return {
    async send(request, { key, signal }) {
      const { method, path, body, streamed, hideUsage } = request;
      const headMs = streamed ? firstTokenMs : answerMs;
      const maxBytes = streamed ? Number.POSITIVE_INFINITY : maxAnswerBytes;
      const ready = { method, path, body, key, signal, headMs, maxBytes };
      const answer = await askUpstream(transport, { ...ready, maxTextBytes: maxAnswerBytes }).catch(
        (error: unknown) => {
          throw signal.aborted ? abortReason(signal) : fromApiError(error, key);
        },
      );
      refuseEncoded(answer);
      const contentType = answer.headers.get("content-type") ?? "application/json";
      const { status } = answer;
      if (contentType.includes("text/event-stream")) {
        const scanner = createEventScanner(hideUsage, maxEventBytes);
        const pieces = new EventPieces(answer.chunks, scanner);
        return { kind: "streamed", status, contentType, pieces, account: () => scanner.account() };
      }
      return readWhole(answer, contentType);
    },
  };
}

/** An answer that isn't a stream is held until it is whole: the ledger row goes before it. */
async function readWhole(answer: UpstreamAnswer, contentType: string): Promise<RelayAnswer> {
  const bytes = await answer.bytes();
  const account = contentType.includes("json") ? scanJson(bytes) : null;
  if (account === null) throw new ProxyError("upstream_bad_answer");
  return { kind: "whole", status: answer.status, contentType, bytes, account };
}

/** No compression was asked for; who sends it all the same can't be read. */
function refuseEncoded(answer: UpstreamAnswer): void {
  const encoding = answer.headers.get("content-encoding") ?? "identity";
  if (encoding === "identity") return;
  void answer.chunks.return?.();
  throw new ProxyError("upstream_bad_answer");
}
