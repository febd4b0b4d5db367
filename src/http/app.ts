import { Hono } from "hono";
import { ProxyError } from "../core/errors.ts";
import {
  type AppEnv,
  createRequestContexts,
  type Exchanged,
  type RequestContextOptions,
} from "./call/request-context.ts";
import {
  type Dialect,
  type Gate,
  mountDialects,
  type WriteError,
  writeErrorsOf,
} from "./dialect.ts";
import { answerPreflight } from "./reply/preflight.ts";
import { createRouter } from "./router.ts";

export interface AppOptions {
  readonly dialects: readonly Dialect[];
  readonly context: RequestContextOptions;
  readonly gate: Gate;
  /** Answers the paths that no dialect owns. */
  readonly writeUnknown: WriteError;
  /** Is told of errors nobody foresaw. */
  readonly report: (requestId: string, error: ProxyError) => void;
}

/** Answers one request, as node-server hands it over. */
export type Fetch = (request: Request, exchanged: Exchanged) => Promise<Response> | Response;

/** All HTTP dialects on one router. */
export function createApp(options: AppOptions): Fetch {
  const { dialects, gate, writeUnknown, report } = options;
  const createContext = createRequestContexts(options.context);
  const app = new Hono<AppEnv>({ router: createRouter() });
  app.options("*", (c) => {
    gate.peek(c);
    return answerPreflight(c);
  });
  mountDialects(app, dialects, gate);
  app.notFound((c) => {
    gate.peek(c);
    return writeUnknown(c, new ProxyError("not_found"));
  });
  app.onError(
    writeErrorsOf(dialects, writeUnknown, (c, error) => report(c.env.context.requestId, error)),
  );
  // not a middleware: with a single handler a request Hono goes without composing any (3 µs a call)
  return (request, { incoming, outgoing }) => {
    const context = createContext({ incoming, outgoing });
    return app.fetch(request, { incoming, outgoing, context });
  };
}
