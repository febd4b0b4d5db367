import type { UpstreamKind } from "../core/routing/routing.ts";

/** The version that is sent where the client names none. */
const ANTHROPIC_VERSION = "2023-06-01";

/** Anthropic's paths begin with a version, which base URLs may have or not. */
const VERSION = /\/v1\/?$/;

/** The base URL of a service of that kind. */
export function baseUrlOf(kind: UpstreamKind, url: URL): URL {
  if (kind !== "anthropic" || VERSION.test(url.pathname)) return url;
  const versioned = new URL(url);
  versioned.pathname = `${url.pathname.replace(/\/$/, "")}/v1`;
  return versioned;
}

/** What a service of that kind wants to see of a key; an empty key is none. */
export function credentialHeaders(kind: UpstreamKind, key: string): Record<string, string> {
  if (kind === "openai") return key === "" ? {} : { authorization: `Bearer ${key}` };
  if (kind === "azure") return key === "" ? {} : { "api-key": key };
  const version = { "anthropic-version": ANTHROPIC_VERSION };
  return key === "" ? version : { ...version, "x-api-key": key };
}
