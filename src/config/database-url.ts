import { type Parsed, refused } from "../parsing.ts";
import { unencodedIn } from "./url-password.ts";

/** As libpq has them, and the driver's own word for `require`. */
const SSL_MODES = [
  ...["disable", "allow", "prefer", "require", "verify-ca", "verify-full"],
  "no-verify",
];

/** How other programs name a schema. The driver leaves them out, and would use another schema. */
const SCHEMA_WORDS = ["schema", "currentSchema", "search_path"];

/** `postgres://user:password@host:port/name?sslmode=…`; null when empty. Says what is wrong, never the value. */
export function parseDatabaseUrl(text: string): Parsed<string | null> {
  if (text === "") return { value: null };
  const rest = /^postgres(?:ql)?:\/\/(.*)$/is.exec(text)?.[1];
  if (rest === undefined) return refused("database_url");
  const unencoded = unencodedIn(rest);
  if (unencoded !== null) return refused("database_url_character", unencoded);
  // after the last @, since a password may hold one
  const host = (/^[^/?]*/.exec(rest)?.[0] ?? "").replace(/^.*@/s, "");
  const url = URL.parse(text);
  if (`${host}${url?.searchParams.get("host") ?? ""}`.includes(",")) {
    return refused("database_url_hosts");
  }
  if (url === null || /[\s\p{Cc}]/u.test(text)) return refused("database_url_host");
  if (!isDecodable(text)) return refused("database_url_character", { character: "%", code: "%25" });
  const schema = SCHEMA_WORDS.find((name) => url.searchParams.has(name));
  if (schema !== undefined) return refused("database_url_schema", { name: schema });
  return withSslMode(text, url.searchParams);
}

/** The name of one host, or an IP address, and a port. */
export function parseDatabaseAddress(text: string): Parsed<string> {
  if (text === "") return { value: text };
  if (text.includes(",")) return refused("database_url_hosts");
  const isHost = /^(\[[\da-f:.]+\]|[\w.-]+)(:\d{1,5})?$/i.test(text);
  return isHost && URL.canParse(`postgres://${text}`)
    ? { value: text }
    : refused("database_url_host");
}

function withSslMode(text: string, given: URLSearchParams): Parsed<string> {
  const mode = given.get("sslmode");
  if (mode !== null && !SSL_MODES.includes(mode)) {
    return refused("database_url_sslmode", { choices: SSL_MODES.slice(0, -1).join(", ") });
  }
  const root = given.get("sslrootcert") ?? "";
  return mode === "verify-ca" && root === "" ? refused("database_url_root") : { value: text };
}

/** The driver itself encodes a text with a % that begins no code. */
function isDecodable(text: string): boolean {
  if (/%(?![a-f\d]{2})/i.test(text)) return true;
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
