import { z } from "zod";
import { MAX_MODEL_CHARACTERS, MAX_UPSTREAM_MODELS } from "../core/routing/bounds.ts";
import {
  type UpstreamChanges,
  type UpstreamSecrets,
  type UpstreamSettings,
  upstreamKinds,
} from "../core/routing/routing.ts";
import { choiceOf, count, flag, names, plainText } from "./fields.ts";
import { withoutUndefined } from "./schemas.ts";
import { headerFields, keyList, proxyUrl, serviceUrl, upstreamName } from "./upstream-fields.ts";

const MAX_OPEN_CALLS = 1_000_000;
/** As for the settings of the same kind. */
const MAX_SECONDS = 3_600;
/** Above that of any route, which has bounds of its own. */
const MAX_ROUTE_CHARACTERS = 65_536;

const model = plainText(MAX_MODEL_CHARACTERS);
const options = {
  keys: keyList().nullish(),
  models: names(MAX_UPSTREAM_MODELS, MAX_MODEL_CHARACTERS).nullish(),
  proxy: proxyUrl().nullish(),
  headers: headerFields().nullish(),
  concurrency: count(MAX_OPEN_CALLS).nullish(),
  answer_seconds: count(MAX_SECONDS).nullish(),
  first_token_seconds: count(MAX_SECONDS).nullish(),
};
const kind = choiceOf(upstreamKinds);

export const upstreamSchemas = {
  newUpstream: z.strictObject({
    name: upstreamName(),
    url: serviceUrl(),
    kind: kind.nullish(),
    ...options,
  }),
  changes: z.strictObject({ url: serviceUrl().optional(), kind: kind.optional(), ...options }),
  test: z.strictObject({ paid: flag().nullish(), model: model.nullish() }),
  newRoute: z.strictObject({ to: plainText(MAX_ROUTE_CHARACTERS) }),
  model: z.strictObject({ model }),
};

export function newUpstreamOf(
  fields: z.output<typeof upstreamSchemas.newUpstream>,
): UpstreamSettings & UpstreamSecrets {
  return {
    name: fields.name,
    kind: fields.kind ?? "openai",
    url: fields.url,
    models: fields.models ?? [],
    concurrency: fields.concurrency ?? null,
    answerSeconds: fields.answer_seconds ?? null,
    firstTokenSeconds: fields.first_token_seconds ?? null,
    keys: fields.keys ?? [],
    headers: fields.headers ?? {},
    proxyUrl: fields.proxy ?? null,
  };
}

/** What is left out stays; null takes a value away. */
export function upstreamChangesOf(
  fields: z.output<typeof upstreamSchemas.changes>,
): UpstreamChanges {
  const { keys, models, headers } = fields;
  const changes = {
    kind: fields.kind,
    url: fields.url,
    models: models === null ? [] : models,
    concurrency: fields.concurrency,
    answerSeconds: fields.answer_seconds,
    firstTokenSeconds: fields.first_token_seconds,
    keys: keys === null ? [] : keys,
    headers: headers === null ? {} : headers,
    proxyUrl: fields.proxy,
  };
  return withoutUndefined(changes);
}
