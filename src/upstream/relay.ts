import { ProxyError } from "../core/errors.ts";
import type { AskOptions, Relay, RelayAccount, RelayRequest } from "../core/ports.ts";
import { askUpstream } from "./ask.ts";
import { EventPieces } from "./event-pieces.ts";
import { EventScanner } from "./event-scanner.ts";
import { createFailures } from "./failures.ts";
import type { OpenAIUpstreamOptions } from "./openai.ts";
import { bodyKind } from "./opening.ts";
import { accountIn } from "./reading/account.ts";
import { failureIn } from "./reading/failure.ts";
import { isObject, jsonIn } from "./reading/json.ts";
import { wholeAnswer } from "./reading/places.ts";
import { RawText } from "./reading/raw-text.ts";
import { Skeleton } from "./reading/skeleton.ts";
import { createUsageOption } from "./usage-option.ts";

/** A larger answer is not parsed: that would take longer than reading what is of interest. */
const MAX_PARSED_BYTES = 65_536;
/** Bytes of a large answer that are read at once. */
const READ_BYTES = 65_536;
const BYTE_ORDER_MARK = "\u00ef\u00bb\u00bf";

/** Passes the upstream's bytes on, with a scanner beside them that reads usage. */
export function createRelay(options: OpenAIUpstreamOptions): Relay {
  const sendWithUsage = createUsageOption();
  const send = (request: RelayRequest, ask: AskOptions) => {
    const { usageOption: option } = request;
    if (option === undefined) return askUpstream(options, request, ask);
    return sendWithUsage(option.model, (asksForUsage) => {
      const { body } = request;
      return askUpstream(
        options,
        { ...request, body: asksForUsage ? body : option.without() },
        ask,
      );
    });
  };
  /** The bytes pass as they are, but rows are kept and shown to others. */
  const named = (account: RelayAccount, { key }: AskOptions): RelayAccount => ({
    ...account,
    model: account.model && options.cleanName(account.model, key),
    upstreamId: account.upstreamId && options.cleanName(account.upstreamId, key),
  });
  return {
    async send(request, ask) {
      const response = await send(request, ask);
      const { status, body } = response;
      const failures = createFailures(options.refusalOf, ask);
      const kind = await bodyKind(response, request.streamed);
      if (kind === "events") {
        if (request.streamed) body.unbound();
        const scanner = new EventScanner(request.hideUsage, options.maxEventBytes);
        const pieces = new EventPieces(body, scanner, failures);
        // an error in place of the first event has a status, and another key may do
        await pieces.open();
        return {
          kind: "streamed",
          status,
          contentType: "text/event-stream; charset=utf-8",
          pieces,
          account: () => named(scanner.account, ask),
          nextSequence: () => scanner.nextSequence,
        };
      }
      // whole before it is passed on, because the ledger row goes first
      const bytes = withoutMark(await body.whole(ask.room));
      const { value, account } = read(bytes);
      if (kind === "other" || value === null) throw new ProxyError("upstream_bad_answer");
      const error = failureIn(value);
      if (error !== null) {
        ask.room.drop();
        throw failures.early({ error, text: String(bytes) });
      }
      const type = "application/json";
      return { kind: "whole", status, contentType: type, bytes, account: named(account, ask) };
    },
  };
}

/** `value` is null if the answer is not JSON, or only a part of it. */
function read(bytes: Buffer): { value: object | null; account: RelayAccount } {
  const parsed = bytes.length > MAX_PARSED_BYTES ? undefined : jsonIn(String(bytes));
  if (isObject(parsed)) {
    const account = accountIn(parsed);
    // the text of an answer whose usage is known is not counted: that takes ten times as long
    if (account.usage !== null) return { value: parsed, account };
  }
  const passed = new RawText();
  const skeleton = new Skeleton(wholeAnswer, passed);
  for (let at = 0; at < bytes.length; at += READ_BYTES) {
    skeleton.push(bytes.toString("latin1", at, at + READ_BYTES));
  }
  const account = { ...accountIn(skeleton.value), answerTokens: passed.tokens };
  return { value: skeleton.isWhole ? skeleton.value : null, account };
}

function withoutMark(bytes: Buffer): Buffer {
  const start = bytes.toString("latin1", 0, BYTE_ORDER_MARK.length);
  return start === BYTE_ORDER_MARK ? bytes.subarray(BYTE_ORDER_MARK.length) : bytes;
}
