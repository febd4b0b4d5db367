import { z } from "zod";
import { type Change, type ChangeKind, changeKinds } from "../core/reports/changes.ts";
import type { Reports } from "../core/reports/reports.ts";
import { cursor, cursorText, placeText } from "./cursor.ts";
import { choiceOf, count, parseFields, plainText } from "./fields.ts";
import { present } from "./present.ts";
import { view } from "./views.ts";

const USUAL_CHANGES = 100;
const MAX_LISTED = 1_000;
const MAX_NAME_CHARACTERS = 200;

export const changeListSchema = z.strictObject({
  kind: choiceOf(changeKinds).nullish(),
  subject: plainText(MAX_NAME_CHARACTERS).nullish(),
  limit: count(MAX_LISTED).nullish(),
  cursor: cursor(z.tuple([placeText])).nullish(),
});

const facts = z.looseObject({}).nullable();

const detailSchema = z.object({ name: z.string().optional(), before: facts, after: facts });

const changeView = view<Change>()({
  id: [z.string(), ({ id }) => id],
  at: [z.iso.datetime(), ({ at }) => new Date(at).toISOString()],
  kind: [z.enum(changeKinds), ({ kind }): ChangeKind => kind],
  subject: [
    z.string().describe("The id of a token, the name of a group or upstream, or a model"),
    ({ subject }) => subject,
  ],
  action: [z.string().describe("create, add, set, import, update, rotate, …"), (one) => one.action],
  detail: [
    detailSchema.describe("What changed; null: it was not there, or is gone"),
    ({ detail }) => detailIn(detail),
  ],
});

export const changeSchema = changeView.schema;

/** Newest first. */
export function changeLister({ changes }: Pick<Reports, "changes">) {
  return async (given: unknown) => {
    const { limit: chosen, cursor: begun, ...filter } = parseFields(changeListSchema, given);
    const limit = chosen ?? USUAL_CHANGES;
    const before = begun?.[0];
    const found = await changes({ limit, ...present({ ...filter, before }) });
    const last = found.length < limit ? undefined : found.at(-1);
    return {
      changes: found.map(changeView.show),
      next_cursor: last === undefined ? null : cursorText([last.id]),
    };
  };
}

function detailIn(text: string): z.output<typeof detailSchema> {
  return JSON.parse(text) as z.output<typeof detailSchema>; // written only by recordChanges
}
