import type { ConversationLimits } from "../../core/conversations/turns.ts";
import type { Clock } from "../../core/ports.ts";
import type { Driver } from "../driver/driver.ts";
import type { Builder } from "../driver/queries.ts";
import type { Writes } from "../driver/writes.ts";
import type { ContentCodec } from "./content-codec.ts";
import type { NameKeys } from "./names.ts";

/** What the files of the conversation store are made from. */
export interface ConversationParts {
  readonly driver: Driver;
  readonly builder: Builder;
  readonly writes: Writes;
  readonly clock: Clock;
  readonly codec: ContentCodec;
  readonly names: NameKeys;
  readonly limits: ConversationLimits;
  /** At least 128 random bits. */
  readonly newConversationId: () => string;
  /** For turns: sorts by time. */
  readonly newId: (wallMs: number) => string;
  readonly lifetimeMs: number;
  /** Conversations that one sweep deletes. */
  readonly sweepAtOnce: number;
}
