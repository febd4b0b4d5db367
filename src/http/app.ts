import { Hono } from "hono";
import { ProxyError } from "../core/errors.ts";
import { whenReady } from "../core/maybe-promise.ts";
import type { CallStarter } from "./call/begin-call.ts";
import type { AppEnv, Exchanged } from "./call/request-context.ts";
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
  readonly calls: CallStarter;
  readonly gate: Gate;
  /** Answers the paths that no dialect owns. */
  readonly writeUnknown: WriteError;
  /** Called with unexpected errors. */
  readonly report: (requestId: string, error: ProxyError) => void;
}

/** Answers one request, as node-server hands it over. */
export type Fetch = (request: Request, exchanged: Exchanged) => Promise<Response> | Response;

/** All HTTP dialects on one router. */
export function createApp(options: AppOptions): Fetch {
  const { dialects, calls, gate, writeUnknown, report } = options;
  const app = new Hono<AppEnv>({ router: createRouter() });
  app.options("*", (c) => {
    return whenReady(gate.peek(c), () => answerPreflight(c));
  });
  mountDialects(app, dialects, gate);
  app.notFound((c) => {
    return whenReady(gate.peek(c), () => writeUnknown(c, new ProxyError("not_found")));
  });
  app.onError(
    writeErrorsOf(dialects, writeUnknown, (c, error) => report(c.env.context.requestId, error)),
  );
  // not a middleware: with a single handler a request Hono goes without composing any (3 µs a call)
  return (request, { incoming, outgoing }) => {
    const context = calls.beginHttp({ incoming, outgoing });
    return app.fetch(request, { incoming, outgoing, context });
  };
}
