import { ProxyError } from "../../core/errors.ts";
import type { ConcurrencyLimiter, Limiter } from "../../core/ports.ts";
import type { AddressWarning } from "../../http/address/address-alarm.ts";
import { bearerIn, createSecretMatch } from "../../http/call/bearer.ts";
import type { OpenCalls } from "../../http/call/open-calls.ts";
import type { AppContext } from "../../http/call/request-context.ts";
import type { Dialect, Route, RouteDoc, WriteError } from "../../http/dialect.ts";
import { answer, responseHeaders } from "../../http/reply/response-headers.ts";
import { healthDoc, metricsDoc, readyDoc, whoamiDoc } from "./docs.ts";

export interface StatusOptions {
  readonly openCalls: OpenCalls;
  readonly limiter: Limiter;
  readonly concurrency: ConcurrencyLimiter;
  readonly streamLimit: number;
  readonly warnings: () => readonly AddressWarning[];
  /** Rejects when the database does not answer. */
  readonly pingDatabase: () => Promise<void>;
  readonly metrics: { readonly contentType: string; render(): Promise<string> };
  /** Where metrics may be read on this port: with the token, from loopback, or not at all. */
  readonly metricsAccess: { readonly token: string } | "loopback" | "closed";
  readonly writeError: WriteError;
}

const JSON_TYPE = "application/json; charset=utf-8";

/** How the process is doing, for machines and for the operator. Free of limits, costs nothing. */
export function createStatus(options: StatusOptions): Dialect {
  const { openCalls, limiter, concurrency, streamLimit, metrics, writeError } = options;

  const json = (c: AppContext, status: 200 | 503, body: unknown) =>
    answer(status, JSON.stringify(body), responseHeaders(c.env.context, JSON_TYPE));

  const ready = async (c: AppContext) => {
    const accepting = !openCalls.draining;
    const database = await answers(options.pingDatabase);
    const good = accepting && database;
    const unready = accepting ? "unready" : "draining";
    const status = good ? "ready" : unready;
    const checks = { accepting, database };
    return json(c, good ? 200 : 503, { status, checks, warnings: options.warnings() });
  };

  const whoami = async (c: AppContext) => {
    const { address, bucket, peer, forwarded } = c.env.context.client;
    const decision = await limiter.peek(bucket);
    const windows = decision.windows.map(({ name, limit, remaining, resetMs }) => ({
      window: name,
      limit,
      remaining,
      reset_seconds: Math.ceil(resetMs / 1_000),
    }));
    const streams = { ...(await concurrency.count(bucket)), limit: streamLimit };
    return json(c, 200, { address, bucket, peer, forwarded, windows, streams });
  };

  const showMetrics = async (c: AppContext) => {
    const { metricsAccess } = options;
    if (!mayRead(c, metricsAccess)) throw new ProxyError("not_found");
    return answer(200, await metrics.render(), responseHeaders(c.env.context, metrics.contentType));
  };

  const get = (path: string, doc: RouteDoc, handle: Route["handle"]) =>
    ({ method: "GET", path, counted: false, doc, handle }) as const;
  const open = options.metricsAccess !== "closed";
  return {
    name: "status",
    about: "How the server is doing",
    writeError,
    routes: [
      get("/healthz", healthDoc, (c) => json(c, 200, { status: "ok" })),
      get("/readyz", readyDoc, ready),
      get("/whoami", whoamiDoc, whoami),
      ...(open ? [get("/metrics", metricsDoc(options.metricsAccess), showMetrics)] : []),
    ],
  };
}

/** A database that is this slow serves nobody. */
const PING_MS = 2_000;

async function answers(ping: () => Promise<void>): Promise<boolean> {
  const late = new Promise<boolean>((resolve) => {
    setTimeout(resolve, PING_MS, false).unref();
  });
  const answered = ping().then(
    () => true,
    () => false,
  );
  return Promise.race([answered, late]);
}

function mayRead(c: AppContext, access: StatusOptions["metricsAccess"]): boolean {
  if (access === "closed") return false;
  const { address, forwarded } = c.env.context.client;
  // where a proxy speaks for somebody, "I am this machine" could be that somebody's word
  if (access === "loopback") return isLoopback(address) && forwarded === "none";
  const given = bearerIn(c.env.incoming.headers);
  return given !== undefined && createSecretMatch(access.token)(given);
}

function isLoopback(address: string): boolean {
  return address === "::1" || address.startsWith("127.");
}
