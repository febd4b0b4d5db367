import { createSecureContext } from "node:tls";
import { createTranslate, defaultLanguage } from "../locales.ts";
import { type Parsed, type Problem, refused } from "../parsing.ts";
import type { Setting } from "./kinds.ts";
import { type Config, type SettingName, settings } from "./settings.ts";
import { splitList } from "./urls.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Throws when the file can't be read. */
type ReadFile = (path: string) => string;
type Texts = Readonly<Record<string, string>>;

/** A mistake in one setting. Never holds the value, which may be a secret in a wrong place. */
export interface ConfigProblem extends Problem {
  readonly name: string;
}

export type ConfigResult =
  | { readonly config: Config }
  | { readonly problems: readonly ConfigProblem[] };

/**
 * Reads every setting and reports every mistake at once. An empty variable counts as unset, so
 * `PORT=` in a compose file means the default. `readFile` reads files that settings name.
 */
export function readConfig(env: Environment, readFile: ReadFile): ConfigResult {
  const problems: ConfigProblem[] = [];
  const texts: Record<string, string> = {};
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries<Setting>(settings)) {
    const found = lookUp(name, setting, env, readFile);
    if ("key" in found) problems.push({ name, ...found });
    if (!("text" in found)) continue;
    if (found.text !== undefined) texts[name] = found.text;
    // the default is parsed, too, so documents and behavior can't differ
    const parsed = parse(setting, found.text ?? setting.default);
    if ("problem" in parsed) problems.push({ name, ...parsed.problem });
    else values[name] = parsed.value;
  }
  const read = values as Partial<Config>; // each value has the type of its setting
  problems.push(
    ...contradictions(read, texts),
    ...storeContradictions(read, texts),
    ...tlsProblems(texts, readFile),
    ...authorityProblems(texts, readFile),
    ...removedSettings(env),
  );
  if (problems.length > 0) return { problems };
  const given = new Set(Object.keys(texts) as SettingName[]); // texts has names of settings only
  return { config: Object.freeze({ ...(read as Config), given }) };
}

function parse(setting: Setting, text: string): Parsed<unknown> {
  switch (setting.kind) {
    case "text": // a control character is always a mistake
      return /\p{Cc}/u.test(text) ? refused("invalid") : { value: text };
    case "list":
      return { value: splitList(text) };
    case "optional-number":
      return text === "" ? { value: null } : numberIn(text, setting);
    case "number":
      return numberIn(text, setting);
    case "choice": {
      const value = text.toLowerCase();
      if (setting.choices.includes(value)) return { value };
      return refused("choice", { choices: setting.choices.join(", ") });
    }
    case "custom":
      return setting.parse(text);
  }
}

function numberIn(text: string, { min, max }: { min: number; max: number }): Parsed<number> {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? { value } : refused("whole_number", { min, max });
}

/** Each mistake as a message in the language of `lang`, which is LANG as it was set. */
export function problemMessages(problems: readonly ConfigProblem[], lang = "") {
  const translate = createTranslate();
  const language = defaultLanguage(lang);
  return problems.map(({ name, key, params = {} }) => ({
    name,
    message: translate(language, `config_problem.${key}`, params),
  }));
}

/** A heading and one line per mistake. */
export function explainProblems(problems: readonly ConfigProblem[], lang = ""): string {
  const heading = createTranslate()(defaultLanguage(lang), "config.heading");
  const lines = problemMessages(problems, lang).map(({ name, message }) => `  ${name}: ${message}`);
  return `${[heading, ...lines].join("\n")}\n`;
}

/** Some tools leave a byte order mark before the name; it is looked up, too. */
const BYTE_ORDER_MARK = "\ufeff";

function lookUp(
  name: string,
  { aliases = [], secret = false }: Setting,
  env: Environment,
  readFile: ReadFile,
): { text: string | undefined } | Problem {
  const given = (one: string) => (env[one] ?? env[BYTE_ORDER_MARK + one])?.trim();
  const text = [name, ...aliases].map(given).find(Boolean);
  const file = `${name}_FILE`;
  const path = secret ? given(file) : undefined;
  if (!path) return { text };
  if (text) return { key: "file_and_value", params: { file } };
  const content = contentOf(path, readFile);
  return content === null || !isText(content)
    ? { key: "file_unreadable", params: { file } }
    : { text: content.trim() };
}

/** Bytes that are not UTF-8 were read as U+FFFD; UTF-16 has zeros. */
function isText(content: string): boolean {
  return !content.includes("\ufffd") && !content.includes("\0");
}

/** Mistakes that only show between two settings. Looked for even if other settings are wrong. */
function contradictions(read: Partial<Config>, texts: Texts): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const report = (name: SettingName, key: string, other: SettingName) =>
    problems.push({ name, key, params: { other } });
  const { MAX_TOKENS = 0, MAX_TOKENS_LIMIT = Infinity } = read;
  if (MAX_TOKENS > MAX_TOKENS_LIMIT) report("MAX_TOKENS", "above", "MAX_TOKENS_LIMIT");
  for (const [name, other] of samePorts(read)) report(name, "same", other);
  for (const [name, other] of NEEDED) {
    if (texts[name] && !texts[other]) report(name, "needs", other);
  }
  // it would be ignored, and the data would go into a new SQLite file
  if (texts.DATABASE_PASSWORD && !texts.DATABASE_ADDRESS && !texts.DATABASE_URL) {
    report("DATABASE_PASSWORD", "needs", "DATABASE_ADDRESS");
  }
  if (read.ENCRYPT_CONTENT === "on" && !texts.SECRET_KEY) {
    report("ENCRYPT_CONTENT", "needs", "SECRET_KEY");
  }
  return problems;
}

function storeContradictions(read: Partial<Config>, texts: Texts): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const { REDIS_URL: url } = read;
  if (read.REDIS_PASSWORD && !texts.REDIS_HOST && !texts.REDIS_URL) {
    problems.push({ name: "REDIS_PASSWORD", key: "needs", params: { other: "REDIS_HOST" } });
  }
  const isTls = url && "tls" in url && url.tls;
  if (read.REDIS_CA_FILE && !isTls) {
    problems.push({ name: "REDIS_CA_FILE", key: "needs_rediss", params: { other: "REDIS_URL" } });
  }
  return problems;
}

/** Reports removed settings. WORKERS=1 had no effect and is accepted. */
function removedSettings(env: Environment): ConfigProblem[] {
  const workers = env.WORKERS?.trim() ?? "";
  return workers === "" || workers === "1" ? [] : [{ name: "WORKERS", key: "workers" }];
}

/** The first has no effect without the second. */
const NEEDED = [
  ["GRPC_TLS_CERT", "GRPC_TLS_KEY"],
  ["GRPC_TLS_KEY", "GRPC_TLS_CERT"],
  ["GRPC_TLS_CERT", "GRPC_PORT"],
  ["ALERT_URL", "ALERT_SECRET"],
] as const;

const PORTS = ["PORT", "METRICS_PORT", "WS_PORT", "GRPC_PORT"] as const;

/** Pairs that name one port, which only the first to listen would get. */
function samePorts(read: Partial<Config>): [SettingName, SettingName][] {
  const ports = PORTS.map((name) => read[name]);
  return PORTS.flatMap((name, index) => {
    const port = ports[index];
    const other = PORTS[ports.indexOf(port)];
    return port && other !== undefined && other !== name ? [[name, other]] : [];
  });
}

/** Looks at the certificate and the key where both are set. */
function tlsProblems(
  { GRPC_TLS_CERT: certPath, GRPC_TLS_KEY: keyPath }: Texts,
  readFile: ReadFile,
): ConfigProblem[] {
  if (!certPath || !keyPath) return [];
  const cert = contentOf(certPath, readFile);
  const key = contentOf(keyPath, readFile);
  const problems: ConfigProblem[] = [];
  if (cert === null) problems.push({ name: "GRPC_TLS_CERT", key: "file_missing" });
  if (key === null) problems.push({ name: "GRPC_TLS_KEY", key: "file_missing" });
  if (cert === null || key === null) return problems;
  if (!isUsable({ cert })) return [{ name: "GRPC_TLS_CERT", key: "file_not_certificate" }];
  if (isUsable({ cert, key })) return [];
  return [{ name: "GRPC_TLS_KEY", key: "file_not_key", params: { other: "GRPC_TLS_CERT" } }];
}

function authorityProblems({ REDIS_CA_FILE: path }: Texts, readFile: ReadFile): ConfigProblem[] {
  if (!path) return [];
  const ca = contentOf(path, readFile);
  if (ca === null) return [{ name: "REDIS_CA_FILE", key: "file_missing" }];
  const isUsableCa = /-----BEGIN /.test(ca) && isUsable({ cert: ca });
  return isUsableCa ? [] : [{ name: "REDIS_CA_FILE", key: "file_not_certificate" }];
}

function contentOf(path: string, readFile: ReadFile): string | null {
  try {
    return readFile(path);
  } catch {
    return null;
  }
}

function isUsable(pair: { readonly cert: string; readonly key?: string }): boolean {
  if (Object.values(pair).some((text) => text.trim() === "")) return false; // Node ignores these
  try {
    createSecureContext(pair);
    return true;
  } catch {
    return false;
  }
}
