import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

/** How long a sign-in lasts. */
export const SESSION_MS = 43_200_000;
/** Of one name: cookies of other paths or hosts may hide ours. */
const MAX_COOKIES = 4;
const NAME_CHARACTERS = 12;
const VALUE = /^([1-9]\d{12})\.([\w-]{43})$/;

/** Signs sessions in: nothing of one is kept, so it holds on every copy and after a restart. */
export interface OperatorSessions {
  /** The cookie's value. */
  sign(key: string, expiresMs: number): string;
  /** When the session of a request ends; null: it has none that holds. */
  endOf(headers: IncomingHttpHeaders, key: string, nowMs: number): number | null;
  hasCookie(headers: IncomingHttpHeaders): boolean;
  /** `Set-Cookie`. An age of 0 takes the cookie away. */
  cookie(value: string, ageMs: number, isSecure: boolean): string;
  /** `Cookie`, for a client that is no browser. */
  header(value: string): string;
}

/**
 * `key` is what a session depends on; it dies when that changes. The cookie's name has a part of its
 * own for each installation, since cookies separate neither ports nor the prefixes that proxies strip.
 */
export function createOperatorSessions(installationSecret: string): OperatorSessions {
  const keyed = (purpose: string, text: string) =>
    createHmac("sha256", installationSecret).update(`${purpose}\0${text}`).digest();
  const name = `parley_operator_${keyed("cookie name", "").toString("hex").slice(0, NAME_CHARACTERS)}`;
  const markOf = (key: string, expiresMs: number) =>
    createHmac("sha256", keyed("operator session", key)).update(String(expiresMs)).digest();
  const endIn = (value: string, key: string, nowMs: number): number | null => {
    const [, expires, given = ""] = VALUE.exec(value) ?? [];
    const expiresMs = Number(expires);
    if (expires === undefined || expiresMs <= nowMs) return null;
    const mark = Buffer.from(given, "base64url");
    const expected = markOf(key, expiresMs);
    const isOurs = mark.length === expected.length && timingSafeEqual(mark, expected);
    return isOurs ? expiresMs : null;
  };
  return {
    sign: (key, expiresMs) => `${expiresMs}.${markOf(key, expiresMs).toString("base64url")}`,
    endOf(headers, key, nowMs) {
      const ends = cookiesIn(headers, name).map((value) => endIn(value, key, nowMs));
      return ends.find((end) => end !== null) ?? null;
    },
    hasCookie: (headers) => cookiesIn(headers, name).length > 0,
    cookie(value, ageMs, isSecure) {
      const age = `Max-Age=${Math.floor(ageMs / 1_000)}`;
      const secure = isSecure ? "; Secure" : "";
      return `${name}=${value}; ${age}; Path=/; HttpOnly; SameSite=Strict${secure}`;
    },
    header: (value) => `${name}=${value}`,
  };
}

function cookiesIn({ cookie = "" }: IncomingHttpHeaders, name: string): readonly string[] {
  return cookie
    .split(";")
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .slice(0, MAX_COOKIES)
    .map((pair) => pair.slice(name.length + 1));
}
