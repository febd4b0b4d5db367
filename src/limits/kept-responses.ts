import type { Clock, NamedCall, StoredResponse } from "../core/ports.ts";
import { shareOf } from "../core/room.ts";

/** Long enough for a client's retries after a broken connection. */
const REMEMBER_MS = 600_000;
const MAX_RESPONSES = 1_000;
const MAX_BYTES = 16_777_216;
/** What a small response counts, so that one bound holds for bytes and responses. */
const MIN_BYTES = Math.floor(MAX_BYTES / MAX_RESPONSES);

export interface Kept extends NamedCall {
  readonly response: Promise<StoredResponse>;
  /** 0 while it is under way: it takes no room yet, and it stays. */
  bytes: number;
  untilMs: number;
}

/** Responses by name, from the moment they are asked for. */
export class KeptResponses {
  readonly #clock: Pick<Clock, "monotonicMs">;
  /** Those that have arrived are in the order in which they did. */
  readonly #responses = new Map<string, Kept>();
  /** Bounded by the responses. */
  readonly #bytesOf = new Map<string, number>();
  #allBytes = 0;

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  find(name: string): Kept | undefined {
    const kept = this.#responses.get(name);
    if (kept === undefined || kept.untilMs > this.#clock.monotonicMs()) return kept;
    this.forget(kept);
    return undefined;
  }

  begin(call: NamedCall, response: Promise<StoredResponse>): Kept {
    const kept = { ...call, response, bytes: 0, untilMs: Number.POSITIVE_INFINITY };
    this.#responses.set(call.name, kept);
    return kept;
  }

  /** Remembers a response that has arrived, if there is room. */
  arrived(kept: Kept, size: number): void {
    this.forget(kept);
    const bytes = Math.max(size, MIN_BYTES);
    if (!this.#makeRoom(kept.bucket, bytes)) return;
    kept.bytes = bytes;
    kept.untilMs = this.#clock.monotonicMs() + REMEMBER_MS;
    this.#count(kept.bucket, bytes);
    this.#responses.set(kept.name, kept);
  }

  forget({ name, bucket, bytes }: Kept): void {
    this.#responses.delete(name);
    this.#count(bucket, -bytes);
  }

  /** Who has a quarter of the room gets more where it is free; others get it from who has most. */
  #makeRoom(bucket: string, bytes: number): boolean {
    this.#forgetExpired();
    const ofOthers = this.#allBytes - (this.#bytesOf.get(bucket) ?? 0);
    const isLarge = bytes > shareOf(MAX_BYTES);
    if (bytes > MAX_BYTES || (isLarge && ofOthers + bytes > MAX_BYTES)) return false;
    while (this.#allBytes + bytes > MAX_BYTES) {
      const hasShare = (this.#bytesOf.get(bucket) ?? 0) + bytes > shareOf(MAX_BYTES);
      const oldest = this.#oldestOf(hasShare ? bucket : this.#heaviest());
      if (oldest === undefined) return false;
      this.forget(oldest);
    }
    return true;
  }

  #forgetExpired(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const kept of this.#responses.values()) {
      if (kept.bytes === 0) continue;
      if (kept.untilMs > nowMs) return;
      this.forget(kept);
    }
  }

  #oldestOf(bucket: string): Kept | undefined {
    for (const kept of this.#responses.values()) {
      if (kept.bytes > 0 && kept.bucket === bucket) return kept;
    }
    return undefined;
  }

  #heaviest(): string {
    let found = "";
    let most = 0;
    for (const [bucket, bytes] of this.#bytesOf) {
      if (bytes <= most) continue;
      most = bytes;
      found = bucket;
    }
    return found;
  }

  #count(bucket: string, more: number): void {
    this.#allBytes += more;
    const bytes = (this.#bytesOf.get(bucket) ?? 0) + more;
    if (bytes > 0) this.#bytesOf.set(bucket, bytes);
    else this.#bytesOf.delete(bucket);
  }
}
