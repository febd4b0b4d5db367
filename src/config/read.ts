import type { z } from "zod";
import { factsOf, type Problem } from "./kinds.ts";
import { type Config, type SettingName, settings } from "./settings.ts";
import { tlsProblems } from "./tls-files.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** A mistake in one setting. The value is nowhere in it. */
export interface ConfigProblem extends Problem {
  readonly name: string;
}

export type ConfigResult =
  | { readonly config: Config }
  | { readonly problems: readonly ConfigProblem[] };

/**
 * Reads every setting and reports every mistake at once. An empty variable counts as unset, so that
 * `PORT=` in a compose file means the default. `readFile` serves the `<NAME>_FILE` form of secrets
 * and settings that name a file, and throws when the file can't be read.
 */
export function readConfig(env: Environment, readFile: (path: string) => string): ConfigResult {
  const problems: ConfigProblem[] = [];
  const texts: Record<string, string> = {};
  for (const [name, schema] of Object.entries(settings.shape)) {
    const found = lookUp(name, schema, env, readFile);
    if ("key" in found) problems.push({ name, ...found });
    else if (found.text !== undefined) texts[name] = found.text;
  }
  const parsed = settings.safeParse(texts);
  if (!parsed.success) problems.push(...parsed.error.issues.map(toProblem));
  problems.push(...contradictions(texts), ...tlsProblems(texts, readFile), ...removedSettings(env));
  if (parsed.success && problems.length === 0) return { config: Object.freeze(parsed.data) };
  return { problems };
}

function lookUp(
  name: string,
  schema: z.ZodType,
  env: Environment,
  readFile: (path: string) => string,
): { text: string | undefined } | Problem {
  const facts = factsOf(schema);
  const text = [name, ...(facts.aliases ?? [])].map((one) => env[one]?.trim()).find(Boolean);
  const path = facts.secret === true ? env[`${name}_FILE`]?.trim() : undefined;
  if (!path) return { text };
  if (text) return { key: "file_and_value", params: { file: `${name}_FILE` } };
  try {
    return { text: readFile(path).trim() };
  } catch {
    return { key: "file_unreadable", params: { file: `${name}_FILE` } };
  }
}

function toProblem(issue: z.core.$ZodIssue): ConfigProblem {
  const name = String(issue.path[0]);
  if (issue.code !== "custom") return { name, key: "invalid" };
  const { key, params } = issue.params as Problem; // put there by setting()
  return params === undefined ? { name, key } : { name, key, params };
}

/** Mistakes that only show between two settings, looked for whatever else is wrong. */
function contradictions(texts: Readonly<Record<string, string>>): ConfigProblem[] {
  const { shape } = settings;
  const problems: ConfigProblem[] = [];
  const maxTokens = shape.MAX_TOKENS.safeParse(texts.MAX_TOKENS).data;
  const maxTokensLimit = shape.MAX_TOKENS_LIMIT.safeParse(texts.MAX_TOKENS_LIMIT).data;
  if (maxTokens !== undefined && maxTokensLimit !== undefined && maxTokens > maxTokensLimit) {
    problems.push({ name: "MAX_TOKENS", key: "above", params: { other: "MAX_TOKENS_LIMIT" } });
  }
  for (const [name, other] of samePorts(texts)) {
    problems.push({ name, key: "same", params: { other } });
  }
  for (const [name, other] of NEEDED) {
    if (texts[name] && !texts[other]) problems.push({ name, key: "needs", params: { other } });
  }
  if (texts.ENCRYPT_CONTENT?.toLowerCase() === "on" && !texts.SECRET_KEY) {
    const params = { other: "SECRET_KEY" };
    problems.push({ name: "ENCRYPT_CONTENT", key: "needs", params });
  }
  return problems;
}

/** Settings of earlier versions; a value that changed nothing is ignored. */
function removedSettings(env: Environment): ConfigProblem[] {
  const workers = env.WORKERS?.trim() ?? "";
  return workers === "" || workers === "1" ? [] : [{ name: "WORKERS", key: "workers" }];
}

/** What is of no use without the other. */
const NEEDED = [
  ["GRPC_TLS_CERT", "GRPC_TLS_KEY"],
  ["GRPC_TLS_KEY", "GRPC_TLS_CERT"],
  ["GRPC_TLS_CERT", "GRPC_PORT"],
] as const;

const PORTS = ["PORT", "METRICS_PORT", "WS_PORT", "GRPC_PORT"] as const;

/** Two settings that name one port, which only the first to listen would get. */
function samePorts(texts: Readonly<Record<string, string>>): [SettingName, SettingName][] {
  const ports = PORTS.map((name) => settings.shape[name].safeParse(texts[name]).data);
  return PORTS.flatMap((name, index) => {
    const port = ports[index];
    const before = PORTS.slice(0, index).find((_other, at) => ports[at] === port);
    if (typeof port !== "number" || port === 0 || before === undefined) return [];
    return [[name, before]];
  });
}
