import type { Config } from "../config/settings.ts";
import { type AnswerRoom, createAnswerRoom } from "../core/call/answer-room.ts";
import type {
  AmountLimiter,
  Breakers,
  Clock,
  ConcurrencyLimiter,
  Cooldowns,
  IdempotencyStore,
  Limiter,
  OpenCallLimiter,
  Semaphore,
  TokenLimiter,
} from "../core/ports.ts";
import { MAX_CONNECTIONS } from "../dialects/ask/websocket/connections.ts";
import {
  createConcurrencyLimiter,
  createOpenCallLimiter,
  createSemaphore,
} from "../limits/concurrency.ts";
import type { Limits } from "../limits/decisions.ts";
import { createMemoryAmounts } from "../limits/memory-amounts.ts";
import { createMemoryBreakers } from "../limits/memory-breakers.ts";
import { createMemoryCooldowns } from "../limits/memory-cooldowns.ts";
import { createMemoryIdempotency } from "../limits/memory-idempotency.ts";
import { createMemoryLimiter, createMemoryTokenLimiter } from "../limits/memory-limiter.ts";
import type { StoreFigures } from "../metrics/store-figures.ts";
import { createCollector } from "./collector.ts";

/** Everything that is counted: in the memory of this process, or in a store that all instances share. */
export interface LimitStores {
  readonly limiter: Limiter;
  readonly tokenLimiter: TokenLimiter;
  /** Model tokens per minute and open calls, by token. */
  readonly tokenMinutes: AmountLimiter;
  readonly tokenCalls: OpenCallLimiter;
  /** Open streams per client address. */
  readonly concurrency: ConcurrencyLimiter;
  /** WebSocket connections per client address, and all together. */
  readonly connections: ConcurrencyLimiter;
  readonly allConnections: Semaphore;
  readonly cooldowns: Cooldowns;
  /** Rests of upstreams. */
  readonly breakers: Breakers;
  /** Open calls per upstream. */
  readonly upstreamCalls: OpenCallLimiter;
  readonly idempotency: IdempotencyStore;
  /** For whole answers. This process's memory by nature. */
  readonly answers: AnswerRoom;
  /** Null where each instance counts by itself. */
  readonly shared: SharedLimits | null;
}

/** The state of the shared store, from memory. */
export interface SharedLimits {
  readonly isUp: () => boolean;
  /** Instances that were alive when they were last counted. */
  readonly instances: () => number;
  /** While the store is away, calls that are counted are refused. */
  readonly refuses: boolean;
  readonly figures: StoreFigures;
  readonly close: () => Promise<void>;
}

/** In memory; `shared-limits.ts` puts the shared store before it. */
export function composeLimits(config: Config, clock: Clock): LimitStores {
  return {
    limiter: createMemoryLimiter({ limits: addressLimits(config), clock }),
    tokenLimiter: createMemoryTokenLimiter(clock),
    tokenMinutes: createMemoryAmounts(clock),
    tokenCalls: createOpenCallLimiter(),
    concurrency: createConcurrencyLimiter(config.STREAM_LIMIT),
    connections: createConcurrencyLimiter(config.WS_CONNECTIONS),
    allConnections: createSemaphore(MAX_CONNECTIONS),
    cooldowns: createMemoryCooldowns(clock),
    breakers: createMemoryBreakers(clock),
    upstreamCalls: createOpenCallLimiter(),
    idempotency: createMemoryIdempotency(clock),
    answers: createAnswerRoom({
      maxAnswerBytes: config.MAX_ANSWER_BYTES,
      clock,
      collect: createCollector(),
    }),
    shared: null,
  };
}

/** Per client address. */
export function addressLimits(config: Config): Limits {
  return {
    second: config.SECOND_LIMIT,
    minute: config.MINUTE_LIMIT,
    hour: config.HOUR_LIMIT,
    day: config.DAY_LIMIT,
  };
}
