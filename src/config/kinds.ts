import {
  type AddressList,
  createAddressList,
  type InvalidEntries,
  parseTrustedProxies,
  type TrustedProxies,
} from "../http/address/trusted-proxies.ts";
import { isHeaderText, type Parsed, refused } from "../parsing.ts";
import { splitList } from "./urls.ts";

/** What the documents say about a setting; its text is `config.<NAME>` in the locales. */
export interface SettingFacts {
  readonly group:
    | "server"
    | "upstream"
    | "limits"
    | "conversations"
    | "transports"
    | "accounts"
    | "instances"
    | "status";
  /** As the documents print it; empty when there is none. */
  readonly default: string;
  /** Never printed, never logged, and also read from the file that `<NAME>_FILE` names. */
  readonly secret?: boolean;
  /** Names that other systems use for it, so that their deployments keep working. */
  readonly aliases?: readonly string[];
  readonly example?: string;
}

type Facts = Omit<SettingFacts, "default">;

/** How the text of a setting is read; `read.ts` does it. */
export type Kind =
  /** One line. */
  | { readonly kind: "text" }
  /** Entries separated by commas or white space. */
  | { readonly kind: "list" }
  | { readonly kind: "number"; readonly min: number; readonly max: number }
  /** Null while unset. */
  | { readonly kind: "optional-number"; readonly min: number; readonly max: number }
  /** The case does not matter. */
  | { readonly kind: "choice"; readonly choices: readonly string[] }
  | { readonly kind: "custom"; readonly parse: (text: string) => Parsed<unknown> };

export type Setting<K extends Kind = Kind> = SettingFacts & K;

/** The type of a setting's value. */
export type ValueOf<S> = S extends { readonly parse: (text: string) => Parsed<infer T> }
  ? T
  : S extends { readonly choices: readonly (infer T)[] }
    ? T
    : S extends { readonly kind: "number" }
      ? number
      : S extends { readonly kind: "optional-number" }
        ? number | null
        : S extends { readonly kind: "list" }
          ? readonly string[]
          : string;

export function setting<T>(fallback: string, facts: Facts, parse: (text: string) => Parsed<T>) {
  return { ...facts, default: fallback, kind: "custom", parse } as const;
}

export function text(fallback: string, facts: Facts) {
  return { ...facts, default: fallback, kind: "text" } as const;
}

export function list(fallback: string, facts: Facts) {
  return { ...facts, default: fallback, kind: "list" } as const;
}

export function wholeNumber(fallback: number, min: number, max: number, facts: Facts) {
  return { ...facts, default: String(fallback), kind: "number", min, max } as const;
}

export function optionalNumber(min: number, max: number, facts: Facts) {
  return { ...facts, default: "", kind: "optional-number", min, max } as const;
}

export function choice<const T extends string>(fallback: T, choices: readonly T[], facts: Facts) {
  return { ...facts, default: fallback, kind: "choice", choices } as const;
}

/**
 * First path segments that ROUTE can't take, because dialects own them, now or by contract. A new
 * dialect adds its own here.
 */
export const RESERVED_SEGMENTS: ReadonlySet<string> = new Set(
  `v1 chat chats chat_complete conversations ask system mod usage data admin whoami healthz readyz metrics docs
   openapi.json status me assets completions responses embeddings moderations models images audio messages`.split(
    /\s+/,
  ),
);

/** `api`, `/api/` and `a/b` become `/api` and `/a/b`. Nothing that a router reads as a pattern. */
export function parseRoute(text: string): Parsed<string> {
  if (!/^\/?([\w.~-]+(\/[\w.~-]+)*\/?)?$/.test(text)) return refused("route");
  const path = text.replace(/^\/|\/$/g, "");
  const segments = path.split("/");
  if (segments.includes(".") || segments.includes("..")) return refused("route");
  return RESERVED_SEGMENTS.has(segments[0] ?? "")
    ? refused("route_reserved")
    : { value: `/${path}` };
}

/** API keys used in rotation; each must fit into a header. */
export function parseApiKeys(text: string): Parsed<readonly string[]> {
  const keys = splitList(text);
  return keys.every(isHeaderText) ? { value: [...new Set(keys)] } : refused("header_characters");
}

/** A credential that clients send in a header; empty when there is none. */
export function parseHeaderText(text: string): Parsed<string> {
  return text === "" || isHeaderText(text) ? { value: text } : refused("header_characters");
}

/** An IP address, IPv6 without brackets, or a host name. */
export function parseHost(text: string): Parsed<string> {
  return /^[\w.:%-]+$/.test(text) ? { value: text } : refused("invalid");
}

/** What happens to an answer whose client disconnects. */
export interface DisconnectSetting {
  /** As the ledger records it: "cancel" or "drain:30". */
  readonly name: string;
  readonly drainMs: number;
}

/** An hour. A longer drain could outlive the deadlines of its call. */
const MAX_DRAIN_SECONDS = 3_600;

export function parseDisconnectSetting(text: string): Parsed<DisconnectSetting> {
  if (text === "cancel") return { value: { name: text, drainMs: 0 } };
  const seconds = Number(/^drain:(\d{1,4})$/.exec(text)?.[1] ?? Number.NaN);
  return seconds >= 1 && seconds <= MAX_DRAIN_SECONDS
    ? { value: { name: text, drainMs: seconds * 1_000 } }
    : refused("disconnect", { max: MAX_DRAIN_SECONDS });
}

/** Shorter secrets can be guessed. */
const MIN_SECRET_CHARACTERS = 32;
const MIN_TOKEN_CHARACTERS = 16;

/** Newest first. The first encrypts; the others only decrypt. */
export function parseSecretKeys(text: string): Parsed<readonly string[]> {
  const keys = splitList(text);
  return keys.every((key) => key.length >= MIN_SECRET_CHARACTERS)
    ? { value: keys }
    : refused("too_short", { min: MIN_SECRET_CHARACTERS });
}

export function parseAdminToken(text: string): Parsed<string | null> {
  if (text === "") return { value: null };
  return text.length >= MIN_TOKEN_CHARACTERS && isHeaderText(text)
    ? { value: text }
    : refused("too_short", { min: MIN_TOKEN_CHARACTERS });
}

const ALERT_SECRET = /^whsec_([A-Za-z0-9+/]{32,88}={0,2})$/;
/** As Standard Webhooks asks. */
const MIN_ALERT_SECRET_BYTES = 24;
const MAX_ALERT_SECRET_BYTES = 64;

/** The key that signs webhooks, as Standard Webhooks writes it; null when empty. */
export function parseAlertSecret(text: string): Parsed<Uint8Array | null> {
  if (text === "") return { value: null };
  const bytes = Buffer.from(ALERT_SECRET.exec(text)?.[1] ?? "", "base64");
  const fits = bytes.length >= MIN_ALERT_SECRET_BYTES && bytes.length <= MAX_ALERT_SECRET_BYTES;
  return fits ? { value: bytes } : refused("alert_secret");
}

/** Null when empty: every address is allowed. */
export function parseAllowedAddresses(text: string): Parsed<AddressList | null> {
  return text === "" ? { value: null } : withoutInvalid(createAddressList(text));
}

export function parseTrustedProxiesSetting(text: string): Parsed<TrustedProxies> {
  return withoutInvalid(parseTrustedProxies(text));
}

function withoutInvalid<T extends object>(list: T | InvalidEntries): Parsed<T> {
  if (!("invalid" in list)) return { value: list };
  return refused("address_blocks", { positions: list.invalid.join(", ") });
}
