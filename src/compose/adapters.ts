import { hash, randomBytes } from "node:crypto";
import type { Config } from "../config/settings.ts";
import type { Clock } from "../core/ports.ts";
import { createOpenAIUpstream, type OpenAIUpstreamOptions } from "../upstream/openai.ts";
import { createRelay } from "../upstream/relay.ts";
import { createTransport, type Transport } from "../upstream/transport.ts";

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

/** 128 bits in hex, as the ledger takes digests: anything else it would hash once more. */
const DIGEST_CHARACTERS = 32;

/** Keyed, so that hashes of keys mean nothing without this installation's secret. */
export function createKeyDigest(secret: string): (key: string) => string {
  // of fixed length, so that no other secret and key can come to the same text
  const hashKey = hash("sha256", secret);
  return (key) => hash("sha256", hashKey + key).slice(0, DIGEST_CHARACTERS);
}

/** Unique over processes and restarts by 60 random bits, in a process by counting. */
export function createRequestIds(): () => string {
  const own = randomBytes(8).toString("base64url").slice(0, 10).replace(/[-_]/g, "0");
  let count = 0;
  return () => {
    count += 1;
    return `req-${own}-${count.toString(36)}`;
  };
}

export function windowsOf(config: Config) {
  return {
    second: config.SECOND_LIMIT,
    minute: config.MINUTE_LIMIT,
    hour: config.HOUR_LIMIT,
    day: config.DAY_LIMIT,
  };
}
