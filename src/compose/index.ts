import type { Server } from "node:http";
import { redisTarget } from "../config/redis.ts";
import type { Config } from "../config/settings.ts";
import { createRunningTurns } from "../core/conversations/running-turns.ts";
import type { Clock } from "../core/ports.ts";
import { createTreeDialogue } from "../dialects/ask/questions.ts";
import { createEnvelopeErrors } from "../dialects/envelope/routes.ts";
import type { OpenCalls } from "../http/call/open-calls.ts";
import type { Dialect } from "../http/dialect.ts";
import type { ListenerAt } from "../http/listener.ts";
import type { HttpServer } from "../http/server.ts";
import { createTranslate } from "../locales.ts";
import type { Log } from "../log.ts";
import type { Storage } from "../storage/open.ts";
import { composeAlerts } from "./alerts.ts";
import { composeCalls } from "./calls.ts";
import { composeDialogue } from "./conversations.ts";
import { composeDialects, modelRules } from "./dialects.ts";
import { composeLimits, type LimitStores } from "./limits.ts";
import { composeOperator } from "./operator.ts";
import { composePipeline } from "./pipeline.ts";
import { composeRouting } from "./routing.ts";
import { composeStorage, createKeyDigest } from "./storage.ts";
import { composeTransports } from "./transports.ts";

export interface Parley {
  readonly server: HttpServer;
  /** Serves metrics alone, if they have a port of their own. */
  readonly metricsServer: Server | null;
  /** Other ports for calls, each with the number that is set for it. */
  readonly listeners: readonly ListenerAt[];
  readonly openCalls: OpenCalls;
  /** Everything that is served over HTTP, in the order in which paths are matched. */
  readonly dialects: readonly Dialect[];
  /** To be called once it listens: while nobody is the operator, logs how to become it. */
  offerSetup(port: number): Promise<void>;
  /** Takes no new connections, except over HTTP, where responses ask clients to leave. */
  drain(): void;
  close(): Promise<void>;
  /** Logs ledger rows that are not written yet: the process ends, closed or not. */
  giveUp(): void;
}

/** What the process brings. */
export interface ProcessPorts {
  readonly clock: Clock;
  readonly log: Log;
}

/** What is built from what, in order. Each part is chosen and connected in its own file here. */
export async function compose(config: Config, { clock, log }: ProcessPorts): Promise<Parley> {
  const translate = createTranslate();
  const writeError = createEnvelopeErrors(translate);
  const running = createRunningTurns();
  const opened = await composeStorage(config, clock, log);
  const storage = { ...opened, conversations: running.watch(opened.conversations) };
  const secret = await storage.installationSecret();
  const digestKey = createKeyDigest(secret);
  const limits = await chooseLimits(config, { clock, log, secret, storage });
  const alerts = composeAlerts(config, { log, storage, digestKey, translate });
  const needs = { clock, log, storage, limits, digestKey, alerts };
  const routing = await composeRouting(config, { ...needs, store: storage.routing });
  const calls = composeCalls(config, { ...needs, routing, translate });
  const operator = composeOperator(config, {
    ...needs,
    secret,
    brake: calls.brakes.admin,
    translate,
  });
  const pipeline = composePipeline(config, { ...needs, routing, observe: calls.observe });
  const dialogue = composeDialogue(config, { log, storage, running, pipeline });
  const { conversations } = storage;
  const rules = modelRules(config);
  const questions = createTreeDialogue({ conversations, dialogue, digestKey, rules });
  const shared = { limits, calls, questions, translate, writeError };
  const dialects = composeDialects(config, {
    ...shared,
    storage,
    operator,
    routing,
    pipeline,
    dialogue,
    digestKey,
  });
  const transports = await composeTransports(config, { ...shared, clock, dialects });
  const { server, metricsServer, listeners, webSocket } = transports;
  return {
    server,
    metricsServer,
    listeners,
    openCalls: calls.openCalls,
    dialects,
    offerSetup: operator.offerSetup,
    drain: () =>
      [calls.counts, webSocket, ...listeners.map(({ listener }) => listener)].forEach(drain),
    giveUp: storage.giveUp,
    close: async () => {
      await webSocket.close();
      await dialogue.close();
      await pipeline.close();
      await calls.counts.close();
      await limits.shared?.close();
      await storage.close();
    },
  };
}

function drain(one: { drain(): void }): void {
  one.drain();
}

interface LimitNeeds extends ProcessPorts {
  readonly secret: string;
  readonly storage: Pick<Storage, "instances">;
}

/** The shared store, and its client, are loaded only where one is set. */
async function chooseLimits(
  config: Config,
  { clock, log, secret, storage }: LimitNeeds,
): Promise<LimitStores> {
  const memory = composeLimits(config, clock);
  const target = redisTarget(config);
  if (target === null) return memory;
  const { composeSharedLimits } = await import("./shared-limits.ts");
  const instancesAlive = storage.instances;
  return composeSharedLimits(config, { clock, log, secret, target, memory, instancesAlive });
}
