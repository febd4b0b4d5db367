import type { Config } from "../config/settings.ts";
import { createAdmission } from "../core/call/admission.ts";
import { createDisconnectPolicy } from "../core/call/disconnect-policy.ts";
import { createPipeline, type Pipeline } from "../core/call/pipeline.ts";
import { createReasoningModels } from "../core/call/reasoning.ts";
import { ownerOfKey } from "../core/conversations/owner.ts";
import type { CallObserver, Clock } from "../core/ports.ts";
import type { Log } from "../log.ts";
import type { Storage } from "../storage/open.ts";
import type { OperatorAlerts } from "./alerts.ts";
import { composeBackground } from "./background.ts";
import { describeFailure } from "./failures.ts";
import type { LimitStores } from "./limits.ts";
import type { LiveRouting } from "./routing.ts";

export interface PipelineNeeds {
  readonly clock: Clock;
  readonly log: Log;
  readonly storage: Storage;
  readonly limits: LimitStores;
  readonly routing: LiveRouting;
  readonly alerts: OperatorAlerts;
  readonly digestKey: (key: string) => string;
  readonly observe: CallObserver;
}

/** The pipeline with the upstreams behind it; closing it settles what is open, then disconnects. */
export function composePipeline(config: Config, needs: PipelineNeeds): Pipeline {
  const { clock, log, storage, limits, routing, alerts, digestKey, observe } = needs;
  const reasoning = createReasoningModels();
  const background = composeBackground(config, { ...needs, reasoning });
  const pipeline = createPipeline({
    routing,
    breakers: limits.breakers,
    onBreaker: ({ upstream, model }, reason) =>
      alerts.alert(
        reason === null
          ? { type: "upstream.closed", upstream, model }
          : { type: "upstream.open", upstream, model, reason },
      ),
    patienceMs: config.UPSTREAM_TOTAL_SECONDS * 1_000,
    openCalls: limits.upstreamCalls,
    admission: createAdmission({
      ledger: storage.ledger,
      background: storage.background,
      prices: storage.prices,
      reasoning,
      clock: storage.clock,
      digestKey,
      onAccepted: (digest) => storage.acceptedOwners.add(ownerOfKey(digest)),
      tokenLimiter: limits.tokenLimiter,
      tokenMinutes: limits.tokenMinutes,
      tokenCalls: limits.tokenCalls,
      quotaWatch: alerts.quotaWatch,
      onToken: alerts.onToken,
      maxReservedAnswer: config.RESERVE_TOKENS,
      onDisconnect: config.ON_DISCONNECT.name,
    }),
    concurrency: limits.concurrency,
    streamLimit: config.STREAM_LIMIT,
    clock,
    retries: config.RETRIES,
    disconnectPolicy: createDisconnectPolicy(config.ON_DISCONNECT.drainMs, clock),
    observe,
    onLost: (record, error) => {
      log.error("ledger row not written", { record, ...describeFailure(error) });
    },
  });
  return {
    ...pipeline,
    close: async () => {
      await pipeline.close();
      await background.close();
      await alerts.close();
      await routing.close();
    },
  };
}
