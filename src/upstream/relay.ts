import { REWRITTEN_WEIGHT } from "../core/call/answer-room.ts";
import { ProxyError } from "../core/errors.ts";
import type {
  AskOptions,
  Relay,
  RelayAccount,
  RelayAnswer,
  RelayRequest,
  WholeAnswer,
} from "../core/upstream-ports.ts";
import { askUpstream } from "./ask.ts";
import { EventPieces } from "./event-pieces.ts";
import { EventScanner } from "./event-scanner.ts";
import type { UpstreamResponse } from "./exchange.ts";
import { createFailures, type Failures } from "./failures.ts";
import type { OpenAIUpstreamOptions } from "./openai.ts";
import { type BodyKind, bodyKind } from "./opening.ts";
import { openJson, passFile, saysFile, withoutMark } from "./passing.ts";
import { accountIn } from "./reading/account.ts";
import { bytesWithoutSecrets } from "./reading/blame.ts";
import { type Failure, failureIn, isAnswer, saysOnlyAnError } from "./reading/failure.ts";
import { isObject, jsonIn } from "./reading/json.ts";
import { type Stretch, wholeAnswer } from "./reading/places.ts";
import { RawText } from "./reading/raw-text.ts";
import { Skeleton } from "./reading/skeleton.ts";
import { createUsageOption } from "./usage-option.ts";

/** A larger answer is not parsed: that would take longer than reading what is of interest. */
const MAX_PARSED_BYTES = 65_536;
/** Bytes of a large answer that are read at once. */
const READ_BYTES = 65_536;
/** An answer that may speak of errors; null is none. */
const BLAMES = /"(?:errors?|warnings?|incomplete_details)"\s*:\s*[^\sn]/;

/** Passes the upstream's bytes on, with a scanner beside them that reads usage. */
export function createRelay(options: OpenAIUpstreamOptions): Relay {
  const withUsage = createUsageOption();
  const send = async (request: RelayRequest, ask: AskOptions) =>
    readAnswer(await askUpstream(options, request, ask), request, ask, options);
  return {
    send(request, ask) {
      const { usageOption: option } = request;
      if (option === undefined) return send(request, ask);
      return withUsage(option.model, (asksForUsage) =>
        send(asksForUsage ? request : { ...request, body: option.without() }, ask),
      );
    },
  };
}

async function readAnswer(
  response: UpstreamResponse,
  { streamed, hideUsage, mayPass, isRewritten, anyBytes }: RelayRequest,
  ask: AskOptions,
  options: OpenAIUpstreamOptions,
): Promise<RelayAnswer> {
  const isLabeled = anyBytes === "labeled";
  if (isLabeled ? saysFile(response) : anyBytes) return passFile(response, isLabeled);
  const { status, body } = response;
  const failures = createFailures(options, ask);
  const kind = await bodyKind(response, streamed || isLabeled);
  if (kind === "events") {
    body.unbound();
    const scanner = new EventScanner(hideUsage, options.maxEventBytes, failures.clean);
    const pieces = new EventPieces(body, scanner, failures);
    // an error in place of the first event has a status, and another key may do
    await pieces.open();
    return {
      kind: "streamed",
      status,
      contentType: "text/event-stream; charset=utf-8",
      pieces,
      account: () => named(scanner.account, failures),
      nextSequence: () => scanner.nextSequence,
    };
  }
  const passes = kind === "json" && mayPass === true;
  const opened = passes ? await openJson(response, options.maxAnswerBytes, failures.clean) : null;
  if (opened !== null && "pieces" in opened) {
    return { ...opened, account: () => named(opened.account(), failures) };
  }
  // whole before it is passed on, because the ledger row goes first
  const bytes = withoutMark(
    opened ?? (await body.whole(ask.room, isRewritten ? REWRITTEN_WEIGHT : 1)),
  );
  return wholeAnswerOf({ status, kind, bytes }, failures, ask);
}

interface WholeBody {
  readonly status: number;
  readonly kind: BodyKind;
  readonly bytes: Buffer;
}

function wholeAnswerOf(
  { status, kind, bytes }: WholeBody,
  failures: Failures,
  { room }: AskOptions,
): WholeAnswer {
  const { value, isSilent, blames, account } = read(bytes);
  if (kind === "other" || value === null) throw new ProxyError("upstream_bad_answer");
  const failure = failureIn(value, isSilent, () => String(bytes)) ?? refusalIn(bytes, value);
  if (failure !== null) {
    room.drop();
    throw failures.early(failure);
  }
  return {
    kind: "whole",
    status,
    contentType: "application/json",
    bytes: bytesWithoutSecrets(bytes, blames, failures.clean),
    account: named(account, failures),
  };
}

/** An answer says what it is; errors, which are small, may be mere words. */
function refusalIn(bytes: Buffer, known: object): Failure | null {
  if (bytes.length > MAX_PARSED_BYTES || isAnswer(known)) return null;
  const text = String(bytes);
  const body = jsonIn(text);
  return isObject(body) && saysOnlyAnError(body) ? { error: body, text } : null;
}

/** The bytes pass as they are, but rows are kept and shown to others. */
function named(account: RelayAccount, { cleanName }: Failures): RelayAccount {
  const { model, upstreamId } = account;
  return {
    ...account,
    model: model && cleanName(model),
    upstreamId: upstreamId && cleanName(upstreamId),
  };
}

interface WholeReading {
  /** Null if the answer is not JSON, or only a part of it. */
  readonly value: object | null;
  readonly isSilent: boolean;
  readonly blames: readonly Stretch[];
  readonly account: RelayAccount;
}

function read(bytes: Buffer): WholeReading {
  const text = bytes.length > MAX_PARSED_BYTES ? "" : String(bytes);
  const parsed = jsonIn(text);
  if (isObject(parsed) && !BLAMES.test(text)) {
    const account = accountIn(parsed);
    // the text of an answer whose usage is known is not counted: that takes ten times as long
    if (account.usage !== null) return { value: parsed, isSilent: false, blames: [], account };
  }
  const passed = new RawText();
  const skeleton = new Skeleton(wholeAnswer, passed);
  for (let at = 0; at < bytes.length; at += READ_BYTES) {
    skeleton.push(bytes.toString("latin1", at, at + READ_BYTES));
  }
  const { value, isWhole, blames } = skeleton;
  return {
    value: isWhole ? value : null,
    isSilent: passed.tokens === 0,
    blames,
    account: { ...accountIn(value), answerTokens: passed.tokens },
  };
}
