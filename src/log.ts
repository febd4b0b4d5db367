import { type DestinationStream, pino, stdTimeFunctions } from "pino";
import { type ErrorCode, ProxyError } from "./core/errors.ts";
import { redact } from "./core/redact.ts";
import type { RequestEnd } from "./http/call/request-context.ts";

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";
export type LogFields = Readonly<Record<string, unknown>>;

/** JSON lines. Each field is chosen by hand: never content, a key, a path or a header. */
export interface Log {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  request(end: RequestEnd): void;
  /** Writes the lines that still wait for the end of the tick. */
  flush(): void;
}

/** Clients choose the model's name. */
const MAX_MODEL_CHARACTERS = 100;

export function createLog(level: LogLevel, destination: DestinationStream): Log {
  const timeText = createTimeText();
  const logger = pino({ level, base: null, timestamp: stdTimeFunctions.isoTime }, destination);
  // lines of one tick are written together
  let waiting = "";
  const flush = () => {
    if (waiting === "") return;
    destination.write(waiting);
    waiting = "";
  };
  const say =
    (level: "info" | "warn" | "error") =>
    (message: string, fields: LogFields = {}) => {
      flush();
      logger[level](fields, message);
    };
  return {
    flush,
    info: say("info"),
    warn: say("warn"),
    error: say("error"),
    /** In pino's form, but without its serializers: 2 µs per request instead of 5. */
    request(end) {
      // probes come every few seconds and matter only when they fail
      const level = levelOf(end);
      if (!logger.isLevelEnabled(level)) return;
      if (waiting === "") setImmediate(flush);
      waiting += `{"level":${LEVELS[level]}${timeText()},"msg":"request",${JSON.stringify(fieldsOf(end)).slice(1)}\n`;
    },
  };
}

/** The time in pino's form, formatted once per millisecond. */
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

/** pino's numbers. */
const LEVELS = { debug: 20, info: 30, warn: 40 } as const;
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
  const { record } = context;
  return {
    request_id: context.requestId,
    route: context.route,
    method,
    status,
    ms: Math.round(durationMs),
    client: context.client.bucket,
    ...(record && {
      principal: record.principal,
      model: redact(record.model.slice(0, MAX_MODEL_CHARACTERS)),
      outcome: record.outcome,
      error: record.error ?? undefined,
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
  const cause = error.cause === undefined ? undefined : describeError(error.cause);
  const ours = error instanceof ProxyError;
  return { kind: error.name, code, stack: ours ? undefined : framesOf(error), cause };
}

/** The stack without its first line, which is the message. */
function framesOf({ stack, message }: Error): string | undefined {
  return stack?.replace(message, "").split("\n").slice(1, 6).join("\n");
}
