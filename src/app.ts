import { Hono } from "hono";
import { ProxyError } from "./core/errors.ts";
import {
  type Dialect,
  type Gate,
  mountDialects,
  type WriteError,
  writeErrorsOf,
} from "./dialects/dialect.ts";
import { type AppEnv, type FactsOptions, gatherFacts } from "./dialects/edge/facts.ts";
import { answerPreflight } from "./dialects/edge/preflight.ts";

export interface AppOptions {
  readonly dialects: readonly Dialect[];
  readonly facts: FactsOptions;
  readonly gate: Gate;
  /** Answers the paths that no dialect owns. */
  readonly writeUnknown: WriteError;
  /** Is told of errors nobody foresaw. */
  readonly report: (requestId: string, error: ProxyError) => void;
}

/** All HTTP dialects on one router. */
export function createApp(options: AppOptions): Hono<AppEnv> {
  const { dialects, gate, writeUnknown, report } = options;
  const app = new Hono<AppEnv>();
  app.use(gatherFacts(options.facts));
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
    writeErrorsOf(dialects, writeUnknown, (c, error) => report(c.get("facts").requestId, error)),
  );
  return app;
}
