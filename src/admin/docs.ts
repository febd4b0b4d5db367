import { z } from "zod";
import { errorCodes } from "../core/errors.ts";
import type { ErrorDoc, Route, RouteDoc } from "../http/dialect.ts";
import { httpStatus } from "../http/reply/http-status.ts";
import { exportColumns } from "../storage/ledger/columns.ts";
import { doctorDocs } from "./doctor-docs.ts";
import { reportDocs } from "./report-docs.ts";
import { createSchemas } from "./schemas.ts";
import { upstreamDocs } from "./upstream-docs.ts";
import { viewSchemas } from "./views.ts";

/** Only described here, never parsed with, so any clock will do. */
const schemas = createSchemas({ wallMs: () => 0 });
const { token, group, quota, price, sum } = viewSchemas;

const examplePrice = { input: "0.15", cached_input: "0.075", output: "0.60" };

const newToken = token.extend({ token: z.string().describe("The secret; it is shown only here") });
const limited = ["field_too_long", "field_unknown"] as const;
const tokenId = { id: z.string().meta({ example: "1jf2k5n8q0f3a1b2c4d5e6f7a8" }) };

const groupName = { name: z.string().meta({ example: "class" }) };

const setPrice = {
  summary: "Sets a model's price",
  answer: price.extend({ changed: z.boolean() }),
  fails: ["price_outdated", ...limited],
} as const;

/** Each route by method and path below /admin, in the order of /openapi.json. */
export const routeDocs = {
  "POST /tokens": {
    summary: "Creates a token; only this response shows its secret",
    description:
      "With `count`, so many tokens called NAME-001 and so on. With `like`, what is left out is as in the token of that ID.",
    body: schemas.newToken,
    example: { name: "Ann", requests_per_day: 100 },
    status: 201,
    answer: z.union([newToken, z.object({ tokens: z.array(newToken) })]),
    fails: ["token_name_taken", "token_unknown", "group_unknown", "secret_key_missing", ...limited],
  },
  "GET /tokens": {
    summary: "Finds and lists tokens, newest first",
    description:
      "`q` is found in any case, and as it is given. A page may be short of `limit` before the last one: only `next_cursor` tells.",
    query: schemas.tokenList,
    answer: z.object({
      tokens: z.array(token),
      next_cursor: z.string().nullable().describe("What to pass as `cursor` for more"),
      next: z.string().nullable().describe("The same, for `after`"),
    }),
  },
  "GET /tokens/:id": {
    summary: "Shows a token and how much of its quotas is used",
    answer: token.extend({ quotas: z.array(quota) }),
    fails: ["token_unknown"],
  },
  "PATCH /tokens/:id": {
    summary: "Changes a token; what is left out stays, null takes a bound away",
    body: schemas.tokenChanges,
    example: { requests_per_day: 200, expires: null },
    params: tokenId,
    answer: token,
    fails: [
      ...["token_unknown", "token_revoked", "token_name_taken", "group_unknown"],
      ...["secret_key_missing", ...limited],
    ],
  },
  "POST /tokens/:id/rotate": {
    summary: "Gives a token a new secret; the old one ends at once, or after `grace`",
    description: "The body may be left out.",
    body: schemas.rotation,
    example: { grace: "24h" },
    params: tokenId,
    answer: newToken,
    fails: ["token_unknown", "token_revoked", ...limited],
  },
  "POST /tokens/:id/disable": {
    summary: "Refuses a token until it is enabled; doing so again changes nothing",
    answer: token,
    fails: ["token_unknown", "token_revoked"],
  },
  "POST /tokens/:id/enable": {
    summary: "Accepts a disabled token again",
    answer: token,
    fails: ["token_unknown", "token_revoked"],
  },
  "DELETE /tokens/:id": {
    summary: "Revokes a token; doing so again changes nothing",
    answer: token,
    fails: ["token_unknown"],
  },
  "POST /groups": {
    summary: "Creates a group: quotas that its tokens share beside their own",
    body: schemas.newGroup,
    example: { name: "class", money_per_month: "50" },
    status: 201,
    answer: group,
    fails: ["group_name_taken", ...limited],
  },
  "GET /groups": {
    summary: "Lists groups by name",
    query: schemas.groupList,
    answer: z.object({
      groups: z.array(group),
      next: z.string().nullable().describe("What to pass as `after` for more"),
    }),
  },
  "GET /groups/:name{.+}": {
    summary: "Shows a group and how much of its quotas is used",
    params: groupName,
    answer: group.extend({ quotas: z.array(quota) }),
    fails: ["group_unknown"],
  },
  "PATCH /groups/:name{.+}": {
    summary: "Changes a group; what is left out stays, null takes a quota away",
    body: schemas.groupChanges,
    example: { money_per_month: "80", requests_per_day: null },
    params: groupName,
    answer: group,
    fails: ["group_unknown", ...limited],
  },
  "DELETE /groups/:name{.+}": {
    summary: "Removes a group without tokens; revoked ones don't count",
    params: groupName,
    answer: group,
    fails: ["group_unknown", "group_in_use"],
  },
  "GET /prices": {
    summary: "Lists current prices; with `history` also past and future ones",
    query: schemas.priceList,
    answer: z.object({ prices: z.array(price) }),
  },
  "POST /prices": {
    ...setPrice,
    body: schemas.newPrice,
    example: { model: "gpt-4o-mini", ...examplePrice },
  },
  "POST /prices/import": {
    summary: "Imports a price list, or with `default` the one of this release",
    query: schemas.importForm,
    body: z.union([
      schemas.imported,
      schemas.importedList,
      z.looseObject({ default: z.literal(true) }),
      z.record(z.string(), z.looseObject({})).describe("With `format=litellm`: LiteLLM's list"),
    ]),
    example: { published: "2026-01-31", prices: [{ model: "gpt-4o-mini", ...examplePrice }] },
    answer: z.object({
      added: z.int(),
      unchanged: z.int(),
      skipped: z.array(z.string()).describe("Models whose newest price is not older"),
      unpriced: z.array(z.string()).optional().describe("LiteLLM's models that stay unpriced"),
      left_out: z
        .array(z.object({ field: z.string(), models: z.int() }))
        .optional()
        .describe("LiteLLM's prices of kinds that Parley has not"),
      published: z.string().optional(),
      source: z.string().optional(),
      note: z.string().optional(),
    }),
    fails: ["field_too_long", "field_unknown", "field_repeated", "field_needs"],
  },
  "PUT /prices/:model{.+}": {
    ...setPrice,
    params: { model: z.string().meta({ example: "gpt-4o-mini" }) },
    body: schemas.modelPrice,
    example: examplePrice,
  },
  ...upstreamDocs,
  "GET /usage": {
    summary: "Sums calls, tokens and cost by day, model or token",
    query: schemas.usage,
    answer: z.object({
      by: z.enum(["day", "model", "token"]),
      usage: z.array(
        z.object({
          day: z.string().optional(),
          model: z.string().optional(),
          token: z.string().nullish().describe("Null: visitors and clients' own keys"),
          name: z.string().nullish(),
          ...sum.shape,
        }),
      ),
    }),
  },
  "GET /usage/export": {
    summary: "Exports one row per call",
    query: schemas.export,
    answer: z
      .string()
      .describe(`Oldest first. Columns: ${exportColumns.map(({ name }) => name).join(", ")}`),
    answerType: ["text/csv", "application/jsonl"],
  },
  ...reportDocs,
  ...doctorDocs,
} as const satisfies Readonly<Record<`${Route["method"]} /${string}`, RouteDoc>>;

export const adminErrors: ErrorDoc = {
  status: httpStatus,
  schema: z.object({
    error: z.looseObject({
      code: z.enum(errorCodes),
      message: z.string().describe("In the language of the request"),
      field: z.string().optional(),
    }),
  }),
};
