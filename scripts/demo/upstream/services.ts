/** The services that the demo asks instead of real ones, on this machine. */
import { once } from "node:events";
import type { Server } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import { claudeModels, openAiModels } from "../models.ts";
import { createAnthropic } from "./anthropic.ts";
import { createOpenAi } from "./openai.ts";

export interface DemoServices {
  readonly openAiUrl: string;
  readonly anthropicUrl: string;
  /** Refuses every call, so that a breaker rests. */
  readonly brokenUrl: string;
  /** Takes alerts. */
  readonly alertUrl: string;
  close(): Promise<void>;
}

export async function startServices(): Promise<DemoServices> {
  const app = new Hono();
  app.route("/openai/v1", createOpenAi(openAiModels));
  app.route("/anthropic/v1", createAnthropic(claudeModels));
  app.all("/broken/*", (c) => {
    const error = { message: "The server is overloaded.", type: "server_error", code: null };
    return c.json({ error }, 503);
  });
  app.onError((error, c) => {
    const hasLeft = c.req.raw.signal.aborted;
    return hasLeft ? c.body(null) : c.json({ error: { message: error.message } }, 400);
  });
  app.post("/alerts", (c) => c.body(null, 204));
  // Cast: without options for HTTP/2 it is one for HTTP/1.1.
  const server = createAdaptorServer(app) as Server;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const at = (path: string) => `http://127.0.0.1:${port}/${path}`;
  return {
    openAiUrl: at("openai/v1"),
    anthropicUrl: at("anthropic/v1"),
    brokenUrl: at("broken/v1"),
    alertUrl: at("alerts"),
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
