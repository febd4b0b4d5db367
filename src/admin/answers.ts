import { z } from "zod";
import { quotaKinds, quotaPeriods } from "../core/accounts/quota.ts";
import { errorCodes } from "../core/errors.ts";
import type { ErrorDoc } from "../http/dialect.ts";
import { httpStatus } from "../http/reply/http-status.ts";
import { rowColumns } from "./shapes.ts";

const moment = z.iso.datetime();
const dollars = z.string().describe("US dollars, an exact decimal");

const token = z.object({
  id: z.string(),
  name: z.string(),
  comment: z.string(),
  hint: z.string().describe("How the secret begins and ends"),
  state: z.enum(["valid", "expired", "revoked"]),
  created_at: moment,
  expires_at: moment.nullable(),
  revoked_at: moment.nullable(),
  models: z.array(z.string()).nullable(),
  requests_per_day: z.int().nullable(),
  requests_per_month: z.int().nullable(),
  tokens_per_day: z.int().nullable(),
  tokens_per_month: z.int().nullable(),
  money_per_day: dollars.nullable(),
  money_per_month: dollars.nullable(),
  second_limit: z.int().nullable(),
  minute_limit: z.int().nullable(),
  hour_limit: z.int().nullable(),
  day_limit: z.int().nullable(),
  own_upstream_key: z.boolean(),
});

const quota = z.object({
  quota: z.enum(quotaKinds),
  period: z.enum(quotaPeriods),
  limit: z.union([z.int(), dollars]),
  used: z.union([z.int(), dollars]),
  resets_at: moment,
});

const price = z.object({
  model: z.string(),
  input: dollars,
  cached_input: dollars.nullable(),
  output: dollars,
  since: moment,
});

const sum = z.object({
  day: z.string().optional(),
  model: z.string().optional(),
  token: z.string().nullable().optional().describe("Null: visitors and callers' own keys"),
  name: z.string().nullable().optional(),
  requests: z.int(),
  prompt_tokens: z.int(),
  cached_tokens: z.int(),
  completion_tokens: z.int(),
  total_tokens: z.int(),
  cost: dollars.nullable(),
  calls_of_unknown_cost: z.int(),
});

/** What good answers look like, for /openapi.json. */
export const adminAnswers = {
  token,
  newToken: token.extend({ token: z.string().describe("The secret; it is shown only here") }),
  tokenAndQuotas: token.extend({ quotas: z.array(quota) }),
  tokens: z.object({
    tokens: z.array(token),
    next: z.string().nullable().describe("What to pass as `after` for more"),
  }),
  price: price.extend({ changed: z.boolean() }),
  prices: z.object({ prices: z.array(price) }),
  imported: z.object({
    added: z.int(),
    unchanged: z.int(),
    skipped: z.array(z.string()).describe("Models whose newest price is not older"),
    published: z.string().optional(),
    source: z.string().optional(),
    note: z.string().optional(),
  }),
  usage: z.object({ by: z.enum(["day", "model", "token"]), usage: z.array(sum) }),
  exported: z.string().describe(`Oldest first. Columns: ${rowColumns.join(", ")}`),
};

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
