import { createHmac, randomBytes } from "node:crypto";
import type { Config } from "./config/settings.ts";
import type { Clock } from "./core/ports.ts";
import { createOpenAIUpstream, type OpenAIUpstreamOptions } from "./upstream/openai.ts";
import { createRelay } from "./upstream/relay.ts";
import { createTransport, type Transport } from "./upstream/transport.ts";

export function createUpstreamTransport(config: Config, clock: Clock): Transport {
  return createTransport({
    baseUrl: config.OPENAI_URL,
    proxyUrl: config.OPENAI_PROXY,
    connectMs: config.UPSTREAM_CONNECT_SECONDS * 1_000,
    idleMs: config.UPSTREAM_IDLE_SECONDS * 1_000,
    totalMs: config.UPSTREAM_TOTAL_SECONDS * 1_000,
    clock,
  });
}

export function upstreamsOf(config: Config, transport: Transport) {
  const options: OpenAIUpstreamOptions = {
    transport,
    answerMs: config.UPSTREAM_ANSWER_SECONDS * 1_000,
    firstTokenMs: config.UPSTREAM_FIRST_TOKEN_SECONDS * 1_000,
    maxAnswerBytes: config.MAX_ANSWER_BYTES,
    maxEventBytes: config.MAX_EVENT_BYTES,
  };
  return { upstream: createOpenAIUpstream(options), relay: createRelay(options) };
}

/** Keyed, so that the ledger's hashes of keys mean nothing without this process's secret. */
export function createKeyDigest(secret: string | null): (key: string) => string {
  const hashKey = secret ?? randomBytes(32);
  return (key) => createHmac("sha256", hashKey).update(key).digest("base64url").slice(0, 22);
}

export function windowsOf(config: Config) {
  return {
    second: config.SECOND_LIMIT,
    minute: config.MINUTE_LIMIT,
    hour: config.HOUR_LIMIT,
    day: config.DAY_LIMIT,
  };
}
