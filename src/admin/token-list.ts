import { z } from "zod";
import { fieldError } from "../core/common-errors.ts";
import type { Reports } from "../core/reports/reports.ts";
import {
  type TokenOrder,
  type TokenPlace,
  tokenOrders,
  tokenStates,
} from "../core/reports/token-search.ts";
import { cursor, cursorText, placeIn, placeText } from "./cursor.ts";
import { choiceOf, count, parseFields, plainText, type WallClock } from "./fields.ts";
import { present } from "./present.ts";
import { shownToken } from "./views.ts";

const MAX_LISTED = 1_000;
const MAX_TEXT_CHARACTERS = 200;
const MAX_AFTER_CHARACTERS = 2_000;

const place = z.tuple([z.enum(tokenOrders), placeText, placeText]);

export const tokenListSchema = z.strictObject({
  q: plainText(MAX_TEXT_CHARACTERS).nullish().describe("In the name, comment, hint or id"),
  state: choiceOf(tokenStates).nullish(),
  group: plainText(MAX_TEXT_CHARACTERS).nullish(),
  order: choiceOf(tokenOrders).nullish(),
  limit: count(MAX_LISTED).nullish(),
  cursor: cursor(place).nullish(),
  after: plainText(MAX_AFTER_CHARACTERS).nullish().describe("As `cursor`; or an id: oldest first"),
});

interface ListNeeds {
  readonly reports: Pick<Reports, "searchTokens">;
  readonly clock: WallClock;
}

/** A page of tokens, newest first unless `order` says otherwise. */
export function tokenLister({ reports, clock }: ListNeeds) {
  return async (given: unknown) => {
    const { q, state, group, limit, after, ...fields } = parseFields(tokenListSchema, given);
    const begun = placeOf(fields.cursor ?? null) ?? afterPlace(after ?? null);
    const order = orderOf(fields.order ?? null, begun);
    const query = { order, limit: limit ?? MAX_LISTED };
    const chosen = present({ text: q, state, group, after: begun });
    const { tokens, next } = await reports.searchTokens({ ...query, ...chosen });
    const nextCursor = next && cursorText([next.order, next.id, next.name]);
    return {
      tokens: tokens.map((token) => shownToken(token, clock.wallMs())),
      next_cursor: nextCursor,
      next: nextCursor,
    };
  };
}

function placeOf(given: z.output<typeof place> | null): TokenPlace | null {
  if (given === null) return null;
  const [order, id, name] = given;
  return { order, id, name };
}

/** Programs from before there were cursors pass an id. */
function afterPlace(after: string | null): TokenPlace | null {
  if (after === null) return null;
  return placeOf(placeIn(place, after)) ?? { order: "oldest", id: after, name: "" };
}

function orderOf(chosen: TokenOrder | null, begun: TokenPlace | null): TokenOrder {
  if (chosen === null || begun === null) return chosen ?? begun?.order ?? "newest";
  if (chosen === begun.order) return chosen;
  throw fieldError("field_type", "cursor", { expected: "cursor" });
}
