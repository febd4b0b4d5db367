import { floatAt, intAt } from "./array-access.ts";
import { type BlockPool, createBlockPool, NO_BLOCK } from "./block-pool.ts";
import { type CallLog, NO_ENTRY } from "./call-log.ts";
import { MAX_LOG_ENTRIES } from "./windows.ts";

/** The logs of many slots. A log that was not written to is empty. */
export interface KeptLogs extends CallLog {
  /** From now on the log is that of this slot. */
  open(slot: number): void;
  /** Empties the log of a slot. */
  clear(slot: number): void;
  /** 0 for an empty log. */
  lastMs(slot: number): number;
  /** Whether a log finds room whatever is added to it. */
  hasRoom(): boolean;
}

/** Most logs that have a second entry have few. */
const BLOCK_ENTRIES = 4;
/** Each entry is a time and a count; a block also knows the one before it. */
const BLOCK_BYTES = BLOCK_ENTRIES * 12 + 4;
const SPARE_BLOCKS = Math.ceil(MAX_LOG_ENTRIES / BLOCK_ENTRIES) + 1;

/**
 * The newest entry of each log has a place by its slot, as most logs have no other. The older ones
 * are in blocks from a pool, newest block first, all full but that one. Places are indices into
 * `times` and `counts`, first those of the slots and then those of the blocks.
 *
 * A class: addresses and tokens have their logs of one shape and one code. As closures, made twice,
 * an entry cost double to walk past: 10 µs of a token's call for both, now 6.
 */
class Logs implements KeptLogs {
  readonly #pool: BlockPool;
  readonly #firstBlock: number;
  readonly #times: Float64Array;
  readonly #counts: Int32Array;
  readonly #lengths: Int32Array;
  readonly #newestBlocks: Int32Array;
  #slot = 0;

  constructor({ slots, maxOlderBytes }: Capacity) {
    const blocks = Math.max(Math.floor(maxOlderBytes / BLOCK_BYTES), 2 * SPARE_BLOCKS);
    const firstBlock = slots + 1;
    const places = firstBlock + (blocks + 1) * BLOCK_ENTRIES;
    this.#pool = createBlockPool(blocks);
    this.#firstBlock = firstBlock;
    this.#times = new Float64Array(places);
    this.#counts = new Int32Array(places);
    this.#lengths = new Int32Array(slots + 1);
    this.#newestBlocks = new Int32Array(slots + 1);
  }

  open(slot: number): void {
    this.#slot = slot;
  }

  clear(slot: number): void {
    this.#pool.release(intAt(this.#newestBlocks, slot));
    this.#newestBlocks[slot] = NO_BLOCK;
    this.#lengths[slot] = 0;
    this.#times[slot] = 0;
  }

  lastMs(slot: number): number {
    return floatAt(this.#times, slot);
  }

  hasRoom(): boolean {
    return this.#pool.free() >= SPARE_BLOCKS;
  }

  length(): number {
    return intAt(this.#lengths, this.#slot);
  }

  newest(): number {
    return this.length() === 0 ? NO_ENTRY : this.#slot;
  }

  before(place: number): number {
    const firstBlock = this.#firstBlock;
    if (place < firstBlock) return this.#lastOf(this.#newestBlock(), filled(this.length()));
    const inBlocks = place - firstBlock;
    if (inBlocks % BLOCK_ENTRIES > 0) return place - 1;
    return this.#lastOf(this.#pool.before(inBlocks / BLOCK_ENTRIES), BLOCK_ENTRIES);
  }

  timeMs(place: number): number {
    return floatAt(this.#times, place);
  }

  calls(place: number): number {
    return intAt(this.#counts, place);
  }

  append(timeMs: number, calls: number): void {
    const length = this.length();
    if (length > 0) this.#moveNewest(length);
    this.#lengths[this.#slot] = length + 1;
    this.#times[this.#slot] = timeMs;
    this.#counts[this.#slot] = calls;
  }

  addToNewest(timeMs: number): void {
    this.#times[this.#slot] = timeMs;
    this.#counts[this.#slot] = this.calls(this.#slot) + 1;
  }

  empty(): void {
    this.clear(this.#slot);
  }

  /** The newest entry will be the one after it. */
  #moveNewest(length: number): void {
    if ((length - 1) % BLOCK_ENTRIES === 0) {
      this.#newestBlocks[this.#slot] = this.#pool.claim(this.#newestBlock());
    }
    const to = this.#lastOf(this.#newestBlock(), filled(length + 1));
    this.#times[to] = this.timeMs(this.#slot);
    this.#counts[to] = this.calls(this.#slot);
  }

  #newestBlock(): number {
    return intAt(this.#newestBlocks, this.#slot);
  }

  #lastOf(block: number, entries: number): number {
    return block === NO_BLOCK ? NO_ENTRY : this.#firstBlock + block * BLOCK_ENTRIES + entries - 1;
  }
}

interface Capacity {
  readonly slots: number;
  readonly maxOlderBytes: number;
}

export function createKeptLogs(capacity: Capacity): KeptLogs {
  return new Logs(capacity);
}

/** Entries in the newest block, of a log that has one. */
function filled(length: number): number {
  return ((length - 2) % BLOCK_ENTRIES) + 1;
}
