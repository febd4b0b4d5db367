import { z } from "zod";
import type { Route, RouteDoc } from "../http/dialect.ts";
import { adminAnswers } from "./answers.ts";
import {
  exportFields,
  importedFields,
  importedPriceList,
  newPriceFields,
  newTokenFields,
  priceListFields,
  tokenListFields,
  usageFields,
} from "./schemas.ts";

/** Spans count from now when they are read; for what is said of them any moment will do. */
const NO_MOMENT = 0;

type Docs = Readonly<Record<string, Omit<RouteDoc, "credential" | "asks">>>;

const docs: Docs = {
  "POST /tokens": {
    summary: "Makes a token; its secret is shown only in this answer",
    body: newTokenFields(NO_MOMENT),
    status: 201,
    answer: adminAnswers.newToken,
    fails: ["secret_key_missing", "field_too_long", "field_unknown"],
  },
  "GET /tokens": {
    summary: "Lists tokens, oldest first",
    query: tokenListFields,
    answer: adminAnswers.tokens,
  },
  "GET /tokens/:id": {
    summary: "Shows a token and where its quotas stand",
    answer: adminAnswers.tokenAndQuotas,
    fails: ["token_unknown"],
  },
  "DELETE /tokens/:id": {
    summary: "Revokes a token; once more changes nothing",
    answer: adminAnswers.token,
    fails: ["token_unknown"],
  },
  "GET /prices": {
    summary: "Lists prices; with `history` also those before and after",
    query: priceListFields,
    answer: adminAnswers.prices,
  },
  "POST /prices": {
    summary: "Sets a model's price",
    body: newPriceFields(NO_MOMENT),
    answer: adminAnswers.price,
    fails: ["price_outdated", "field_too_long", "field_unknown"],
  },
  "POST /prices/import": {
    summary: "Imports a price list, or with `default` the one that comes with this release",
    body: z.union([
      importedFields(NO_MOMENT),
      importedPriceList(NO_MOMENT),
      z.looseObject({ default: z.literal(true) }),
    ]),
    answer: adminAnswers.imported,
    fails: ["field_too_long"],
  },
  "PUT /prices/:model": {
    summary: "Sets a model's price",
    body: newPriceFields(NO_MOMENT).partial({ model: true }),
    answer: adminAnswers.price,
    fails: ["price_outdated", "field_too_long", "field_unknown"],
  },
  "GET /usage": {
    summary: "Sums of the ledger by day, model or token",
    query: usageFields(NO_MOMENT),
    answer: adminAnswers.usage,
  },
  "GET /usage/export": {
    summary: "The ledger's rows as a file",
    query: exportFields(NO_MOMENT),
    answer: adminAnswers.exported,
    answerType: ["text/csv", "application/jsonl"],
  },
};

/** What /openapi.json says of a route below /admin. */
export function adminDoc(method: Route["method"], path: string): { readonly doc?: RouteDoc } {
  const doc = docs[`${method} ${path}`];
  return doc === undefined ? {} : { doc: { ...doc, credential: "admin", asks: false } };
}
