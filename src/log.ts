import { type ErrorCode, ProxyError } from "./core/errors.ts";
import { shownModel } from "./core/shown-model.ts";
import type { RequestEnd } from "./http/call/request-context.ts";

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";
export type LogFields = Readonly<Record<string, unknown>>;

/** JSON lines. Each field is chosen by hand: never content, a key, a path or a header. */
export interface Log {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  request(end: RequestEnd): void;
  /** Lines lost so far, because they could not be written. */
  dropped(): number;
}

/** Takes one line at a time, with its end. */
export interface LogDestination {
  write(line: string): void;
  dropped?(): number;
}

export function createLog(level: LogLevel, destination: LogDestination): Log {
  const lowest = LEVELS[level];
  const timeText = createTimeText();
  const say =
    (level: "info" | "warn" | "error") =>
    (message: string, fields: LogFields = {}) => {
      if (LEVELS[level] < lowest) return;
      destination.write(logLine(LEVELS[level], timeText(), message, fields));
    };
  return {
    info: say("info"),
    warn: say("warn"),
    error: say("error"),
    dropped: () => destination.dropped?.() ?? 0,
    request(end) {
      // probes come every few seconds and matter only when they fail
      const level = levelOf(end);
      if (LEVELS[level] < lowest) return;
      const fields = JSON.stringify(fieldsOf(end)).slice(1);
      destination.write(`{"level":${LEVELS[level]}${timeText()},"msg":"request",${fields}\n`);
    },
  };
}

/** Says that log lines were dropped, once lines can be written again. */
export function lossLine(lines: number): string {
  return logLine(LEVELS.warn, createTimeText()(), "log lines dropped", { lines });
}

function logLine(level: number, time: string, message: string, fields: LogFields): string {
  const text = JSON.stringify({ ...fields, msg: message }, withBigInts);
  return `{"level":${level}${time},${text.slice(1)}\n`;
}

/** Amounts of money; JSON.stringify would throw. */
function withBigInts(_name: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}

/** The time as it is written, formatted once per millisecond. */
function createTimeText(): () => string {
  let lastMs = 0;
  let text = "";
  return () => {
    const nowMs = Date.now();
    if (nowMs !== lastMs) text = `,"time":"${new Date(nowMs).toISOString()}"`;
    lastMs = nowMs;
    return text;
  };
}

/** The numbers that log tools for Node know. */
const LEVELS = {
  debug: 20,
  info: 30,
  warn: 40,
  error: 50,
  silent: Number.POSITIVE_INFINITY,
} as const;
const PROBES: ReadonlySet<string> = new Set(["status GET /healthz", "status GET /readyz"]);

/** Failures that only the operator can end: a key of theirs is refused, or an account is empty. */
const FOR_OPERATOR: ReadonlySet<unknown> = new Set([
  "upstream_key_rejected",
  "upstream_exhausted",
] satisfies ErrorCode[]);

function levelOf({ context, status }: RequestEnd): keyof typeof LEVELS {
  if (FOR_OPERATOR.has(context.record?.error)) return "warn";
  return PROBES.has(context.route) && status < 400 ? "debug" : "info";
}

function fieldsOf({ context, method, status, durationMs }: RequestEnd): LogFields {
  const { record, error } = context;
  return {
    request_id: context.requestId,
    route: context.route,
    method,
    status,
    ms: Math.round(durationMs),
    client: context.client.bucket,
    error: record?.error ?? error?.code,
    ...(record && {
      principal: record.principal,
      model: shownModel(record.model),
      outcome: record.outcome,
      first_token_ms: record.firstTokenMs === null ? undefined : Math.round(record.firstTokenMs),
      prompt_tokens: record.usage?.promptTokens,
      completion_tokens: record.usage?.completionTokens,
    }),
    ...(context.answered && {
      upstream_status: context.answered.status,
      upstream_code: context.answered.code ?? undefined,
    }),
  };
}

/**
 * What a log may hold of an error: its kind, never its message or fields. Errors of client
 * libraries carry headers and bodies, and their messages quote header values.
 */
export function describeError(error: unknown): LogFields {
  if (!(error instanceof Error)) return { kind: typeof error };
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  const errcode = "errcode" in error ? error.errcode : undefined;
  const cause = error.cause === undefined ? undefined : describeError(error.cause);
  const ours = error instanceof ProxyError;
  return { kind: error.name, code, errcode, stack: ours ? undefined : framesOf(error), cause };
}

/** The stack without its first line, which is the message. */
function framesOf({ stack, message }: Error): string | undefined {
  return stack?.replace(message, "").split("\n").slice(1, 6).join("\n");
}
