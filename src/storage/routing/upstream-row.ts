import { isApiKey } from "../../core/api-key.ts";
import { fieldError } from "../../core/common-errors.ts";
import {
  isUpstreamName,
  MAX_HEADER_CHARACTERS,
  MAX_UPSTREAM_HEADERS,
  MAX_UPSTREAM_KEYS,
  MAX_UPSTREAM_MODELS,
  MAX_URL_CHARACTERS,
} from "../../core/routing/bounds.ts";
import {
  DEFAULT_UPSTREAM,
  type ShownUpstream,
  type UpstreamSecrets,
  type UpstreamSettings,
} from "../../core/routing/routing.ts";
import { shownProxy } from "../../core/shown-url.ts";
import { requireStorable } from "../driver/driver.ts";
import type { UpstreamTable } from "../driver/schema.ts";

export const upstreamColumns = [
  "name",
  "kind",
  "url",
  "models",
  "concurrency",
  "answer_seconds",
  "first_token_seconds",
  "secrets",
  "key_count",
  "header_names",
  "proxy",
  "created_at",
] as const satisfies readonly (keyof UpstreamTable)[];

export type StoredUpstream = Readonly<UpstreamTable>;

export function settingsOf(row: StoredUpstream): UpstreamSettings {
  return {
    name: row.name,
    // Casts: written only by settingColumns.
    kind: row.kind as UpstreamSettings["kind"],
    url: row.url,
    models: JSON.parse(row.models) as string[],
    concurrency: row.concurrency,
    answerSeconds: row.answer_seconds,
    firstTokenSeconds: row.first_token_seconds,
  };
}

export function shownUpstream(row: StoredUpstream): ShownUpstream {
  return {
    ...settingsOf(row),
    keyCount: row.key_count,
    // Cast: written only by shownColumns.
    headerNames: JSON.parse(row.header_names) as string[],
    proxy: row.proxy,
    createdAt: row.created_at,
  };
}

/** The columns an operator chooses, checked. */
export function settingColumns(chosen: UpstreamSettings) {
  const { name, kind, models } = chosen;
  if (!isUpstreamName(name) || name === DEFAULT_UPSTREAM) throw outOfRange("name");
  if (models.length > MAX_UPSTREAM_MODELS) throw outOfRange("models");
  return {
    name,
    kind,
    url: requireStorable("url", chosen.url, MAX_URL_CHARACTERS),
    models: JSON.stringify(models.map((model) => requireStorable("models", model))),
    concurrency: countOrNull("concurrency", chosen.concurrency),
    answer_seconds: countOrNull("answer_seconds", chosen.answerSeconds),
    first_token_seconds: countOrNull("first_token_seconds", chosen.firstTokenSeconds),
  };
}

/** What is shown of the secrets, which are checked. */
export function shownColumns({ keys, headers, proxyUrl }: UpstreamSecrets) {
  if (keys.length > MAX_UPSTREAM_KEYS || !keys.every(isApiKey)) throw outOfRange("keys");
  const names = Object.keys(headers);
  if (names.length > MAX_UPSTREAM_HEADERS) throw outOfRange("headers");
  for (const text of Object.entries(headers).flat()) {
    requireStorable("headers", text, MAX_HEADER_CHARACTERS);
  }
  if (proxyUrl !== null) requireStorable("proxy", proxyUrl, MAX_URL_CHARACTERS);
  return {
    key_count: keys.length,
    header_names: JSON.stringify(names),
    proxy: proxyUrl === null ? null : withoutLogin(proxyUrl),
  };
}

function withoutLogin(text: string): string {
  const url = URL.parse(text);
  if (url === null) throw outOfRange("proxy");
  return shownProxy(url);
}

const MAX_COUNT = 1_000_000_000;

function countOrNull(field: string, value: number | null): number | null {
  if (value === null || (Number.isInteger(value) && value >= 1 && value <= MAX_COUNT)) return value;
  throw outOfRange(field);
}

function outOfRange(field: string) {
  return fieldError("field_range", field);
}
