import { Readable } from "node:stream";
import { buildConnector, type Dispatcher, Pool, ProxyAgent, Socks5ProxyAgent } from "undici";
import type { CallSignal } from "../core/call/call.ts";
import { isCompleteUrl } from "../core/complete-url.ts";
import { ProxyError } from "../core/errors.ts";
import type { Clock } from "../core/ports.ts";
import { isUpload, type RelayRequest, type SentRequests } from "../core/upstream-ports.ts";
import { watched } from "./connections.ts";
import { createDeadlines } from "./deadlines.ts";
import { Exchange, type UpstreamResponse } from "./exchange.ts";

/** Deadlines of a call in milliseconds, counted from when it is sent, except for `idleMs`. */
export interface TransportOptions {
  /** The upstream's origin, base path and query, or its complete URL; no client changes them. */
  readonly baseUrl: URL;
  readonly proxyUrl: URL | null;
  readonly connectMs: number;
  readonly idleMs: number;
  readonly totalMs: number;
  readonly clock: Clock;
}

export interface OutboundRequest {
  /** Below the base path, for example `/chat/completions`; it may have a query. */
  readonly path: string;
  readonly method: RelayRequest["method"];
  readonly headers: Record<string, string>;
  readonly body: RelayRequest["body"];
  readonly signal: CallSignal;
  readonly sent: SentRequests;
  /** Limit for the first byte of the response's body. */
  readonly headMs: number;
  /** A longer body fails, unless it is unbound. */
  readonly maxBytes: number;
}

export interface Transport {
  /** Throws ProxyError only. Redirects are not followed: a 3xx is a response like any other. */
  send(request: OutboundRequest): Promise<UpstreamResponse>;
  close(): Promise<void>;
}

/** We close a connection unused this long, before most servers close it while we send. */
const KEEP_ALIVE_MS = 4_000;
/** The only endpoint of an upstream whose URL is complete. */
const CHAT_COMPLETIONS = "/chat/completions";
/** Far above what any service sends, far below what hurts. */
const MAX_HEADER_BYTES = 65_536;

/**
 * The one way out: every byte to an upstream goes through here, to one fixed origin. Deadlines are
 * our own, because undici's fire up to a second late. No compression is asked for, so no small
 * response unpacks into a large one.
 */
export function createTransport(options: TransportOptions): Transport {
  const { baseUrl, idleMs, totalMs } = options;
  const dispatcher = createDispatcher(options);
  /** For requests that found their connection ended: each gets a new one, which is not used again. */
  let fresh: Dispatcher | null = null;
  const deadlines = createDeadlines(options.clock);
  const { search } = baseUrl;
  const isComplete = isCompleteUrl(search);
  const basePath = baseUrl.pathname.replace(/\/$/, "");
  const addressOf = isComplete
    ? () => `${baseUrl.pathname}${search}`
    : (path: string) => withQuery(basePath + path, search);
  return {
    send({ path, method, headers, body, signal, sent, headMs, maxBytes }) {
      if (isComplete && path !== CHAT_COMPLETIONS) {
        return Promise.reject(new ProxyError("endpoint_unavailable"));
      }
      const bounds = { maxBytes, headMs, idleMs, totalMs };
      // an upload can't be sent again, so it never gets a connection that may have ended
      const once = isUpload(body);
      const request: Dispatcher.DispatchOptions = {
        origin: baseUrl.origin,
        path: addressOf(path),
        method,
        headers,
        body: sendable(body),
        headersTimeout: 0,
        bodyTimeout: 0,
      };
      const sendFresh = () => {
        fresh ??= createDispatcher(options);
        fresh.dispatch({ ...request, reset: true }, exchange);
      };
      const sendAgain = once ? null : sendFresh;
      const exchange = new Exchange({ ...bounds, signal, sent, deadlines, sendAgain });
      if (signal.aborted) return exchange.response;
      if (once) sendFresh();
      else dispatcher.dispatch(request, exchange);
      return exchange.response;
    },
    async close() {
      await Promise.all([dispatcher.destroy(), fresh?.destroy()]);
    },
  };
}

/** A piece of an upload waits for the one before it to be sent. */
function sendable(body: RelayRequest["body"]) {
  return isUpload(body) ? Readable.from(body.pieces) : body;
}

/** The operator's query, for example an API version, and the caller's. */
function withQuery(path: string, search: string): string {
  return path.includes("?") ? `${path}${search.replace("?", "&")}` : `${path}${search}`;
}

function createDispatcher({ baseUrl, proxyUrl, connectMs }: TransportOptions): Dispatcher {
  const common = {
    connectTimeout: connectMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
    pipelining: 1,
    // with one request at a time HTTP/2 gains nothing, and how its connections end can't be watched
    allowH2: false,
  };
  if (proxyUrl === null) {
    return new Pool(baseUrl.origin, {
      ...common,
      connect: watched(buildConnector({ timeout: connectMs, allowH2: false })),
    });
  }
  const uri = proxyUrl.href.replace(/^socks5?h?:/, "socks5:");
  // not ProxyAgent, which sends the login with the URL's percent signs
  if (uri.startsWith("socks5:")) return new Socks5ProxyAgent(uri, common);
  return new ProxyAgent({ ...common, uri, factory: createWatchedPool });
}

/** A pool behind a proxy; `connect` leads through it. */
function createWatchedPool(origin: URL | string, options: object): Dispatcher {
  const { connect, ...others }: Pool.Options = options;
  if (typeof connect !== "function") return new Pool(origin, options);
  return new Pool(origin, { ...others, connect: watched(connect) });
}
