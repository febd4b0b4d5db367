import { z } from "zod";
import { outcomes } from "../core/accounts/ledger-query.ts";
import type { ListedCall } from "../core/reports/calls.ts";
import type { Reports } from "../core/reports/reports.ts";
import { cursor, cursorText, placeText } from "./cursor.ts";
import { choiceOf, count, moment, parseFields, plainText, type WallClock } from "./fields.ts";
import { present } from "./present.ts";
import { view } from "./views.ts";

const USUAL_CALLS = 100;
const MAX_LISTED = 1_000;
const MAX_NAME_CHARACTERS = 200;
/** Rows come in the order in which they are written, some seconds after their call has ended. */
const OVERLAP_MS = 5_000;

const place = z.tuple([z.int().nonnegative(), placeText]);
const moments = z.tuple([z.int().nonnegative()]);

/** Which calls; also for an export. */
export function callFilter(clock: WallClock) {
  const name = plainText(MAX_NAME_CHARACTERS);
  const past = moment(clock, "back").nullish();
  const outcome = choiceOf(outcomes).nullish();
  return { from: past, to: past, token: name.nullish(), model: name.nullish(), outcome };
}

export function callListSchema(clock: WallClock) {
  return z.strictObject({
    ...callFilter(clock),
    limit: count(MAX_LISTED).nullish(),
    cursor: cursor(place).nullish(),
    after: cursor(moments)
      .nullish()
      .describe("`newest` of an earlier answer: only what came since"),
  });
}

interface ListNeeds {
  readonly reports: Pick<Reports, "calls">;
  readonly clock: WallClock;
}

/** Newest first. `newest` leads to what comes later, of which the first seconds were seen before. */
export function callLister({ reports, clock }: ListNeeds) {
  const schema = callListSchema(clock);
  return async (given: unknown) => {
    const { limit, cursor: begun, after, token, ...filter } = parseFields(schema, given);
    const newest = cursorText([clock.wallMs()]);
    const { calls, next } = await reports.calls({
      limit: limit ?? USUAL_CALLS,
      ...present({ ...filter, tokenId: token }),
      ...(begun == null ? {} : { before: { at: begun[0], id: begun[1] } }),
      ...(after == null ? {} : { endedSince: after[0] - OVERLAP_MS }),
    });
    const nextCursor = next && cursorText([next.at, next.id]);
    return { calls: calls.map(callView.show), next_cursor: nextCursor, newest };
  };
}

const whole = z.int().nullable();
const text = z.string();

const callView = view<ListedCall>()({
  id: [text, ({ id }) => id],
  time: [z.iso.datetime().describe("When it began"), ({ at }) => new Date(at).toISOString()],
  request_id: [text, ({ requestId }) => requestId],
  payer: [z.enum(["visitor", "own-key", "token"]), ({ payerKind }) => payerKind],
  token: [text.nullable(), ({ tokenId }) => tokenId],
  token_name: [text.nullable(), ({ tokenName }) => tokenName],
  dialect: [text, ({ dialect }) => dialect],
  model: [text, ({ model }) => model],
  answered_by: [text.nullable(), ({ answeredBy }) => answeredBy],
  upstream: [text.nullable(), ({ upstream }) => upstream],
  tries: [whole, ({ tries }) => tries],
  prompt_tokens: [whole, ({ promptTokens }) => promptTokens],
  completion_tokens: [whole, ({ completionTokens }) => completionTokens],
  total_tokens: [whole, ({ totalTokens }) => totalTokens],
  cost: [text.nullable().describe("US dollars, an exact decimal"), ({ cost }) => cost],
  outcome: [z.enum(outcomes), ({ outcome }) => outcome],
  error: [text.nullable(), ({ error }) => error],
  first_token_ms: [whole, ({ firstTokenMs }) => firstTokenMs],
  duration_ms: [whole, ({ durationMs }) => durationMs],
});

export const callSchema = callView.schema;
