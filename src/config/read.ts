import { createSecureContext } from "node:tls";
import type { z } from "zod";
import { createTranslate, defaultLanguage } from "../locales.ts";
import { type Problem, problemIn } from "../parsing.ts";
import { factsOf } from "./kinds.ts";
import { type Config, type SettingName, settings } from "./settings.ts";

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
  for (const [name, schema] of Object.entries(settings.shape)) {
    const found = lookUp(name, schema, env, readFile);
    if ("key" in found) problems.push({ name, ...found });
    else if (found.text !== undefined) texts[name] = found.text;
  }
  const parsed = settings.safeParse(texts);
  for (const issue of parsed.error?.issues ?? []) {
    problems.push({ name: String(issue.path[0]), ...(problemIn(issue) ?? { key: "invalid" }) });
  }
  problems.push(...contradictions(texts), ...tlsProblems(texts, readFile), ...removedSettings(env));
  if (parsed.success && problems.length === 0) return { config: Object.freeze(parsed.data) };
  return { problems };
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

function lookUp(
  name: string,
  schema: z.ZodType,
  env: Environment,
  readFile: ReadFile,
): { text: string | undefined } | Problem {
  const { aliases = [], secret = false } = factsOf(schema);
  const text = [name, ...aliases].map((one) => env[one]?.trim()).find(Boolean);
  const file = `${name}_FILE`;
  const path = secret ? env[file]?.trim() : undefined;
  if (!path) return { text };
  if (text) return { key: "file_and_value", params: { file } };
  const content = contentOf(path, readFile);
  return content === null ? { key: "file_unreadable", params: { file } } : { text: content.trim() };
}

/** Mistakes that only show between two settings. Looked for even if other settings are wrong. */
function contradictions(texts: Texts): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const report = (name: SettingName, key: string, other: SettingName) =>
    problems.push({ name, key, params: { other } });
  const { MAX_TOKENS, MAX_TOKENS_LIMIT } = settings.shape;
  const maxTokens = MAX_TOKENS.safeParse(texts.MAX_TOKENS).data ?? 0;
  const limit = MAX_TOKENS_LIMIT.safeParse(texts.MAX_TOKENS_LIMIT).data ?? Infinity;
  if (maxTokens > limit) report("MAX_TOKENS", "above", "MAX_TOKENS_LIMIT");
  for (const [name, other] of samePorts(texts)) report(name, "same", other);
  for (const [name, other] of NEEDED) {
    if (texts[name] && !texts[other]) report(name, "needs", other);
  }
  if (texts.ENCRYPT_CONTENT?.toLowerCase() === "on" && !texts.SECRET_KEY) {
    report("ENCRYPT_CONTENT", "needs", "SECRET_KEY");
  }
  return problems;
}

/** Settings of earlier versions; a value that changed nothing is ignored. */
function removedSettings(env: Environment): ConfigProblem[] {
  const workers = env.WORKERS?.trim() ?? "";
  return workers === "" || workers === "1" ? [] : [{ name: "WORKERS", key: "workers" }];
}

/** The first has no effect without the second. */
const NEEDED = [
  ["GRPC_TLS_CERT", "GRPC_TLS_KEY"],
  ["GRPC_TLS_KEY", "GRPC_TLS_CERT"],
  ["GRPC_TLS_CERT", "GRPC_PORT"],
] as const;

const PORTS = ["PORT", "METRICS_PORT", "WS_PORT", "GRPC_PORT"] as const;

/** Pairs that name one port, which only the first to listen would get. */
function samePorts(texts: Texts): [SettingName, SettingName][] {
  const ports = PORTS.map((name) => settings.shape[name].safeParse(texts[name]).data);
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
