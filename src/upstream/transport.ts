import { type Dispatcher, Pool, ProxyAgent, Socks5ProxyAgent } from "undici";
import type { CallSignal } from "../core/call/call.ts";
import type { Clock } from "../core/ports.ts";
import { createDeadlines } from "./deadlines.ts";
import { Exchange, type OutboundAnswer } from "./exchange.ts";

/** Deadlines of a call, in milliseconds. All run from the moment the call is sent but `idleMs`. */
export interface TransportOptions {
  /** The upstream's origin, base path and query; nothing a client says changes them. */
  readonly baseUrl: URL;
  readonly proxyUrl: URL | null;
  readonly connectMs: number;
  readonly idleMs: number;
  readonly totalMs: number;
  readonly clock: Clock;
}

export interface OutboundRequest {
  /** Below the base path, for example `/chat/completions`. */
  readonly path: string;
  readonly method: "GET" | "POST";
  readonly headers: Record<string, string>;
  readonly body: string | Uint8Array | null;
  readonly signal: CallSignal;
  /** How long the head of the answer may take. */
  readonly headMs: number;
  readonly maxBytes: number;
}

export interface Transport {
  /** Throws ProxyError only. Redirects are not followed: a 3xx is an answer like any other. */
  send(request: OutboundRequest): Promise<OutboundAnswer>;
  close(): Promise<void>;
}

/** A connection unused this long is closed by us, before most servers close it under our feet. */
const KEEP_ALIVE_MS = 4_000;
/** Far above what any service sends, far below what hurts. */
const MAX_HEADER_BYTES = 65_536;

/**
 * The one way out: every byte to an upstream goes through here, to one fixed origin. Deadlines are
 * our own (undici's fire up to a second late), and no compression is asked for, so no small answer
 * unpacks into a large one.
 */
export function createTransport(options: TransportOptions): Transport {
  const { baseUrl, connectMs, idleMs, totalMs } = options;
  const dispatcher = createDispatcher(options);
  const deadlines = createDeadlines(options.clock);
  const basePath = baseUrl.pathname.replace(/\/$/, "");

  return {
    send(request) {
      const { signal, maxBytes } = request;
      const exchange = new Exchange({ signal, maxBytes, idleMs });
      if (signal.aborted) return exchange.head;
      const firstMs = Math.min(request.headMs, totalMs);
      exchange.watch(deadlines.start(firstMs, totalMs, exchange.expire));
      const dispatched: Dispatcher.DispatchOptions = {
        origin: baseUrl.origin,
        path: `${basePath}${request.path}${baseUrl.search}`,
        method: request.method,
        headers: request.headers,
        body: request.body,
        headersTimeout: 0,
        bodyTimeout: 0,
      };
      dispatcher.dispatch(dispatched, exchange);
      return exchange.head;
    },
    close: () => dispatcher.destroy(),
  };

  function createDispatcher({ proxyUrl }: TransportOptions): Dispatcher {
    const common = {
      connectTimeout: connectMs,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      pipelining: 1,
    };
    if (proxyUrl === null) {
      return new Pool(baseUrl.origin, { ...common, connect: { timeout: connectMs } });
    }
    const uri = proxyUrl.href.replace(/^socks5?h?:/, "socks5:");
    // not through ProxyAgent, which sends a login as it stands in the URL, percent signs and all
    if (uri.startsWith("socks5:")) return new Socks5ProxyAgent(uri, common);
    return new ProxyAgent({ ...common, uri });
  }
}
