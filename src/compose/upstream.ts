import packageJson from "../../package.json" with { type: "json" };
import type { Config } from "../config/settings.ts";
import { createAdmission } from "../core/call/admission.ts";
import { createDisconnectPolicy } from "../core/call/disconnect-policy.ts";
import { createKeyRing } from "../core/call/key-ring.ts";
import { createPipeline, type Pipeline } from "../core/call/pipeline.ts";
import { createReasoningModels } from "../core/call/reasoning.ts";
import { createCleanName } from "../core/clean-name.ts";
import { ownerOfKey } from "../core/conversations/owner.ts";
import type { CallObserver, Clock } from "../core/ports.ts";
import { createRedact } from "../core/redact.ts";
import type { Log } from "../log.ts";
import type { Storage } from "../storage/open.ts";
import { createRefusalOf } from "../upstream/errors.ts";
import { createOpenAIUpstream, type OpenAIUpstreamOptions } from "../upstream/openai.ts";
import { createRelay } from "../upstream/relay.ts";
import { createTransport } from "../upstream/transport.ts";
import { composeBackground } from "./background.ts";
import { describeFailure } from "./failures.ts";
import type { LimitStores } from "./limits.ts";
import { secretsOf } from "./secrets.ts";

export interface PipelineNeeds {
  readonly clock: Clock;
  readonly log: Log;
  readonly storage: Storage;
  readonly limits: LimitStores;
  readonly digestKey: (key: string) => string;
  readonly observe: CallObserver;
}

/** The pipeline with the upstream behind it; closing it settles what is open, then disconnects. */
export function composePipeline(config: Config, needs: PipelineNeeds): Pipeline {
  const { clock, log, storage, limits, digestKey, observe } = needs;
  const upstream = composeUpstream(config, storage.clock);
  const relay = createRelay(upstream);
  const keyRing = createKeyRing(config.API_KEY, limits.cooldowns, digestKey);
  const reasoning = createReasoningModels();
  const background = composeBackground(config, { ...needs, relay, keyRing, reasoning });
  const pipeline = createPipeline({
    upstream: createOpenAIUpstream(upstream),
    relay,
    admission: createAdmission({
      ledger: storage.ledger,
      background: storage.background,
      prices: storage.prices,
      reasoning,
      clock: storage.clock,
      digestKey,
      onAccepted: (digest) => storage.acceptedOwners.add(ownerOfKey(digest)),
      tokenLimiter: limits.tokenLimiter,
      maxReservedAnswer: config.RESERVE_TOKENS,
      onDisconnect: config.ON_DISCONNECT.name,
    }),
    keyRing,
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
      await upstream.transport.close();
    },
  };
}

/** What both ways to the upstream need. */
function composeUpstream(config: Config, clock: Clock): OpenAIUpstreamOptions {
  const secrets = secretsOf(config);
  const redact = createRedact(secrets);
  return {
    transport: createTransport({
      baseUrl: config.OPENAI_URL,
      proxyUrl: config.OPENAI_PROXY,
      connectMs: config.UPSTREAM_CONNECT_SECONDS * 1_000,
      idleMs: config.UPSTREAM_IDLE_SECONDS * 1_000,
      totalMs: config.UPSTREAM_TOTAL_SECONDS * 1_000,
      clock,
    }),
    kind: config.OPENAI_KIND,
    ownHeaders: null,
    userAgent: `parley/${packageJson.version}`,
    refusalOf: createRefusalOf(redact, clock),
    redact,
    cleanName: createCleanName(secrets),
    answerMs: config.UPSTREAM_ANSWER_SECONDS * 1_000,
    firstTokenMs: config.UPSTREAM_FIRST_TOKEN_SECONDS * 1_000,
    maxAnswerBytes: config.MAX_ANSWER_BYTES,
    maxEventBytes: config.MAX_EVENT_BYTES,
  };
}
