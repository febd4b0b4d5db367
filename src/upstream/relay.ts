import { ProxyError } from "../core/errors.ts";
import type { AskOptions, Relay, RelayAccount, RelayRequest, WholeAnswer } from "../core/ports.ts";
import { askUpstream } from "./ask.ts";
import { EventPieces } from "./event-pieces.ts";
import { EventScanner } from "./event-scanner.ts";
import { createFailures, type Failures } from "./failures.ts";
import type { OpenAIUpstreamOptions } from "./openai.ts";
import { type BodyKind, bodyKind } from "./opening.ts";
import { openJson, withoutMark } from "./passing.ts";
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
          account: () => scanner.account,
          nextSequence: () => scanner.nextSequence,
        };
      }
      const passes = kind === "json" && request.mayPass === true;
      const opened = passes ? await openJson(response, options.maxAnswerBytes) : null;
      if (opened !== null && "pieces" in opened) return opened;
      // whole before it is passed on, because the ledger row goes first
      const bytes = withoutMark(opened ?? (await body.whole(ask.room)));
      return wholeAnswerOf({ status, kind, bytes }, failures, ask);
    },
  };
}

interface WholeBody {
  readonly status: number;
  readonly kind: BodyKind;
  readonly bytes: Buffer;
}

function wholeAnswerOf(
  { status, kind, bytes }: WholeBody,
  { early }: Failures,
  { room }: AskOptions,
): WholeAnswer {
  const { value, account } = read(bytes);
  if (kind === "other" || value === null) throw new ProxyError("upstream_bad_answer");
  const error = failureIn(value);
  if (error !== null) {
    room.drop();
    throw early({ error, text: String(bytes) });
  }
  return { kind: "whole", status, contentType: "application/json", bytes, account };
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
