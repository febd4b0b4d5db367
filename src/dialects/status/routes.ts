import { ProxyError } from "../../core/errors.ts";
import type { ConcurrencyLimiter, Limiter } from "../../core/ports.ts";
import type { AddressWarning } from "../../http/address/address-alarm.ts";
import { bearerIn, createSecretMatch } from "../../http/call/bearer.ts";
import type { GuessBrake } from "../../http/call/guess-brake.ts";
import type { OpenCalls } from "../../http/call/open-calls.ts";
import type { AppContext } from "../../http/call/request-context.ts";
import type { Dialect, Route, RouteDoc, WriteError } from "../../http/dialect.ts";
import { respond, responseHeaders } from "../../http/reply/response-headers.ts";
import { healthDoc, metricsDoc, readyDoc, whoamiDoc } from "./docs.ts";

export interface StatusOptions {
  readonly openCalls: OpenCalls;
  readonly limiter: Limiter;
  readonly concurrency: ConcurrencyLimiter;
  readonly streamLimit: number;
  readonly warnings: () => readonly StatusWarning[];
  /** What works, but only in part. */
  readonly degraded: () => readonly ("limits" | "upstreams")[];
  /** Whether each upstream is asked, or rests; null where there is only one. */
  readonly upstreams: () => Readonly<Record<string, "closed" | "open">> | null;
  /** False while calls are refused because nobody counts them. */
  readonly areLimitsUp: () => boolean;
  /** Rejects if the database is unreachable or takes no writes. */
  readonly pingDatabase: () => Promise<void>;
  readonly metrics: { readonly contentType: string; render(): Promise<string> };
  /** Who may read metrics on this port: holders of the token, loopback clients, or nobody. */
  readonly metricsAccess: { readonly token: string } | "loopback" | "closed";
  readonly brake: GuessBrake;
  readonly writeError: WriteError;
}

/** Several instances work on one database, and each counts limits by itself. */
export interface InstancesWarning {
  readonly code: "limits_apart";
  readonly instances: number;
}

export type StatusWarning = AddressWarning | InstancesWarning;

const JSON_TYPE = "application/json; charset=utf-8";

/** The state of the process, for machines and the operator. Not counted by the limits. */
export function createStatus(options: StatusOptions): Dialect {
  const { openCalls, limiter, concurrency, streamLimit, metrics, metricsAccess, writeError } =
    options;

  const json = (c: AppContext, status: 200 | 503, body: unknown) =>
    respond(status, JSON.stringify(body), responseHeaders(c.env.context, JSON_TYPE));

  const ready = async (c: AppContext) => {
    const checks = {
      accepting: !openCalls.retiring,
      database: await isUp(options.pingDatabase),
      limits: options.areLimitsUp(),
    };
    const upstreams = options.upstreams();
    const state = {
      checks,
      degraded: options.degraded(),
      ...(upstreams !== null && { upstreams }),
      warnings: options.warnings(),
    };
    if (!checks.accepting) return json(c, 503, { status: "draining", ...state });
    const isReady = checks.database && checks.limits;
    return json(c, isReady ? 200 : 503, { status: isReady ? "ready" : "unready", ...state });
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

  const mayReadMetrics = createMetricsCheck(options);
  const showMetrics = async (c: AppContext) => {
    if (!mayReadMetrics(c)) throw new ProxyError("not_found");
    return respond(
      200,
      await metrics.render(),
      responseHeaders(c.env.context, metrics.contentType),
    );
  };

  const get = (path: string, doc: RouteDoc, handle: Route["handle"]) =>
    ({ method: "GET", path, counted: false, doc, handle }) as const;
  return {
    name: "status",
    about: "How the server is doing",
    writeError,
    routes: [
      get("/healthz", healthDoc, (c) => json(c, 200, { status: "ok" })),
      get("/readyz", readyDoc, ready),
      get("/whoami", whoamiDoc, whoami),
      ...(metricsAccess === "closed"
        ? []
        : [get("/metrics", metricsDoc(metricsAccess), showMetrics)]),
    ],
  };
}

/** A slower database counts as down; calls get their 503 in the same time. */
const MAX_PING_MS = 1_500;

async function isUp(ping: () => Promise<void>): Promise<boolean> {
  const late = new Promise<boolean>((resolve) => {
    setTimeout(resolve, MAX_PING_MS, false).unref();
  });
  return Promise.race([late, ping().then(() => true)]).catch(() => false);
}

/**
 * What programs that read metrics send, and browsers. Any other header may come from a proxy on this
 * machine, whose clients are not: there are too many such headers to list.
 */
const OF_READERS =
  /^(?:host|user-agent|accept(?:-encoding|-language|-charset)?|connection|cache-control|pragma|cookie|dnt|priority|te|upgrade-insecure-requests|if-none-match|if-modified-since|traceparent|tracestate|authorization|content-(?:length|type)|sec-(?:fetch|ch|gpc)(?:-[a-z-]+)?|x-prometheus-[a-z-]+)$/;
/** A name with a dot is public, unless it is of this machine. */
const LOCAL_HOST = /^(?:127\.[\d.]+|0\.0\.0\.0|\[::1?\]|[^.:[]+|[^:[]+\.localhost)(?::\d+)?$/i;

function createMetricsCheck({ metricsAccess, brake }: StatusOptions): (c: AppContext) => boolean {
  if (metricsAccess === "closed") return () => false;
  if (metricsAccess === "loopback") {
    return ({ env: { incoming, context } }) => {
      const { address } = context.client;
      const isLoopback = address === "::1" || address.startsWith("127.");
      const { host = "" } = incoming.headers;
      const isLocal = host === "" || LOCAL_HOST.test(host);
      const names = Object.keys(incoming.headers);
      return isLoopback && isLocal && names.every((name) => OF_READERS.test(name));
    };
  }
  const matches = createSecretMatch(metricsAccess.token);
  return ({ env: { incoming, context } }) => {
    const given = bearerIn(incoming.headers);
    if (given === undefined) return false;
    const isRight = matches(given);
    brake.judge(context.client.bucket, isRight);
    return isRight;
  };
}
