import { FIRST_ROOM, floatAt, intAt, longerInts } from "./array-access.ts";

export const NO_ENTRY = -1;
/** Blocks count from 1, so that arrays of zeros say "none". */
const NO_BLOCK = 0;

/** Most logs that have a second entry have few. */
const BLOCK_ENTRIES = 4;
/** An entry is a time and a count. A block also knows the next older one. */
const BLOCK_BYTES = BLOCK_ENTRIES * 12 + 4;

export interface MemoryLogsOptions {
  /** Logs are numbered from 1 to this. Log 0 exists too, for reading an empty one. */
  readonly slots: number;
  /** For all entries but the newest of each log, together. */
  readonly maxOlderBytes: number;
  readonly maxLogEntries: number;
}

/**
 * The logs of admitted calls, one per slot; each of them is empty until it is written to. An entry
 * of several calls carries the time of the latest, so they leave a window late, never early. Entries
 * are named by their index in `times` and `counts`.
 *
 * The newest entry of a log is at the index of its slot, because most logs have no other. Older ones
 * are in blocks, newest block first, all full except that one.
 *
 * A class, so that V8 optimizes both limiters as one shape; two sets of closures made walking an entry
 * twice as slow (10 µs of a token's call for both, now 6).
 */
export class MemoryLogs {
  readonly #maxSlots: number;
  readonly #maxBlocks: number;
  readonly #minFreeBlocks: number;
  /** Index of the first entry in blocks, one past the slots that there is room for. */
  #firstBlock: number;
  #times: Float64Array;
  #counts: Int32Array;
  #lengths: Int32Array;
  #newestBlocks: Int32Array;
  /** The next older block of the same log, or the next free one. */
  #olderBlocks: Int32Array;
  #firstFree = NO_BLOCK;
  #freeBlocks: number;
  #everUsedBlocks = 0;
  #slot = 0;

  constructor({ slots, maxOlderBytes, maxLogEntries }: MemoryLogsOptions) {
    this.#minFreeBlocks = Math.ceil(maxLogEntries / BLOCK_ENTRIES) + 1;
    this.#maxSlots = slots;
    this.#maxBlocks = Math.max(Math.floor(maxOlderBytes / BLOCK_BYTES), 2 * this.#minFreeBlocks);
    this.#freeBlocks = this.#maxBlocks;
    const blocks = Math.min(this.#maxBlocks, FIRST_ROOM);
    this.#firstBlock = Math.min(slots, FIRST_ROOM) + 1;
    this.#times = new Float64Array(this.#firstBlock + (blocks + 1) * BLOCK_ENTRIES);
    this.#counts = new Int32Array(this.#times.length);
    this.#lengths = new Int32Array(this.#firstBlock);
    this.#newestBlocks = new Int32Array(this.#firstBlock);
    this.#olderBlocks = new Int32Array(blocks + 1);
  }

  /** Selects the log that the methods without a slot read and write. */
  open(slot: number): void {
    if (slot >= this.#firstBlock) this.#grow();
    this.#slot = slot;
  }

  clear(slot: number): void {
    this.#releaseBlocks(intAt(this.#newestBlocks, slot));
    this.#newestBlocks[slot] = NO_BLOCK;
    this.#lengths[slot] = 0;
    this.#times[slot] = 0;
  }

  /** Time of the newest entry, 0 for an empty log. */
  lastMs(slot: number): number {
    return floatAt(this.#times, slot);
  }

  /** Whether any log can grow to its maximum. */
  hasRoom(): boolean {
    return this.#freeBlocks >= this.#minFreeBlocks;
  }

  /** In entries. Not a getter: that made the object slow in all it does. */
  length(): number {
    return intAt(this.#lengths, this.#slot);
  }

  /** NO_ENTRY if the log is empty. */
  newest(): number {
    return this.length() === 0 ? NO_ENTRY : this.#slot;
  }

  /** The next older entry, or NO_ENTRY. */
  before(entry: number): number {
    if (entry < this.#firstBlock) return this.#lastOf(this.#newestBlock(), filled(this.length()));
    const inBlocks = entry - this.#firstBlock;
    if (inBlocks % BLOCK_ENTRIES > 0) return entry - 1;
    return this.#lastOf(intAt(this.#olderBlocks, inBlocks / BLOCK_ENTRIES), BLOCK_ENTRIES);
  }

  timeMs(entry: number): number {
    return floatAt(this.#times, entry);
  }

  calls(entry: number): number {
    return intAt(this.#counts, entry);
  }

  append(timeMs: number, calls: number): void {
    const length = this.length();
    if (length > 0) this.#moveNewest(length);
    this.#lengths[this.#slot] = length + 1;
    this.#times[this.#slot] = timeMs;
    this.#counts[this.#slot] = calls;
  }

  /** Adds calls to the newest entry and sets its time. */
  addToNewest(timeMs: number, calls: number): void {
    this.#times[this.#slot] = timeMs;
    this.#counts[this.#slot] = this.calls(this.#slot) + calls;
  }

  /** Of an entry with at least so many. */
  removeCalls(entry: number, calls: number): void {
    this.#counts[entry] = this.calls(entry) - calls;
  }

  empty(): void {
    this.clear(this.#slot);
  }

  /** Copies the newest entry into a block, to make way for the next. */
  #moveNewest(length: number): void {
    if ((length - 1) % BLOCK_ENTRIES === 0) {
      // before the array is read, which growing replaces
      const block = this.#claimBlock(this.#newestBlock());
      this.#newestBlocks[this.#slot] = block;
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

  /** One must be free. */
  #claimBlock(older: number): number {
    let block = this.#firstFree;
    if (block === NO_BLOCK) {
      this.#everUsedBlocks += 1;
      block = this.#everUsedBlocks;
      if (block >= this.#olderBlocks.length) this.#grow();
    } else {
      this.#firstFree = intAt(this.#olderBlocks, block);
    }
    this.#olderBlocks[block] = older;
    this.#freeBlocks -= 1;
    return block;
  }

  /** To all the room there may be. */
  #grow(): void {
    const firstBlock = this.#firstBlock;
    this.#firstBlock = this.#maxSlots + 1;
    const entries = this.#firstBlock + (this.#maxBlocks + 1) * BLOCK_ENTRIES;
    const times = new Float64Array(entries);
    times.set(this.#times.subarray(0, firstBlock));
    times.set(this.#times.subarray(firstBlock), this.#firstBlock);
    this.#times = times;
    const counts = new Int32Array(entries);
    counts.set(this.#counts.subarray(0, firstBlock));
    counts.set(this.#counts.subarray(firstBlock), this.#firstBlock);
    this.#counts = counts;
    this.#lengths = longerInts(this.#lengths, this.#firstBlock);
    this.#newestBlocks = longerInts(this.#newestBlocks, this.#firstBlock);
    this.#olderBlocks = longerInts(this.#olderBlocks, this.#maxBlocks + 1);
  }

  #releaseBlocks(newest: number): void {
    let block = newest;
    while (block !== NO_BLOCK) {
      const older = intAt(this.#olderBlocks, block);
      this.#olderBlocks[block] = this.#firstFree;
      this.#firstFree = block;
      this.#freeBlocks += 1;
      block = older;
    }
  }
}

/** Entries in the newest block of a log that has one. */
function filled(length: number): number {
  return ((length - 2) % BLOCK_ENTRIES) + 1;
}
