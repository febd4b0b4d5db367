import { createBlockPool, NO_BLOCK } from "./block-pool.ts";
import { type Cells, floatAt, intAt } from "./cells.ts";
import { type CallLog, MAX_LOG_ENTRIES, NOWHERE } from "./windows.ts";

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
 */
export function createKeptLogs(
  cells: Cells,
  name: string,
  { slots, maxOlderBytes }: { readonly slots: number; readonly maxOlderBytes: number },
): KeptLogs {
  const blocks = Math.max(Math.floor(maxOlderBytes / BLOCK_BYTES), 2 * SPARE_BLOCKS);
  const pool = createBlockPool(cells, `${name}.blocks`, blocks);
  const firstBlock = slots + 1;
  const places = firstBlock + (blocks + 1) * BLOCK_ENTRIES;
  const times = cells.floats(`${name}.times`, places);
  const counts = cells.ints(`${name}.counts`, places);
  const lengths = cells.ints(`${name}.lengths`, slots + 1);
  const newestBlocks = cells.ints(`${name}.newest-blocks`, slots + 1);
  let slot = 0;

  const lastOf = (block: number, entries: number): number =>
    block === NO_BLOCK ? NOWHERE : firstBlock + block * BLOCK_ENTRIES + entries - 1;
  const clear = (cleared: number): void => {
    pool.release(intAt(newestBlocks, cleared));
    newestBlocks[cleared] = NO_BLOCK;
    lengths[cleared] = 0;
    times[cleared] = 0;
  };
  const copy = (from: number, to: number): void => {
    times[to] = floatAt(times, from);
    counts[to] = intAt(counts, from);
  };
  /** The newest entry will be the one after it. */
  const moveNewest = (length: number): void => {
    if ((length - 1) % BLOCK_ENTRIES === 0) {
      newestBlocks[slot] = pool.claim(intAt(newestBlocks, slot));
    }
    copy(slot, lastOf(intAt(newestBlocks, slot), filled(length + 1)));
  };
  const append = (timeMs: number, calls: number): void => {
    const length = intAt(lengths, slot);
    if (length > 0) moveNewest(length);
    lengths[slot] = length + 1;
    times[slot] = timeMs;
    counts[slot] = calls;
  };

  return {
    open(opened) {
      slot = opened;
    },
    clear,
    lastMs: (asked) => floatAt(times, asked),
    hasRoom: () => pool.free() >= SPARE_BLOCKS,
    length: () => intAt(lengths, slot),
    newest: () => (intAt(lengths, slot) === 0 ? NOWHERE : slot),
    before(place) {
      if (place < firstBlock)
        return lastOf(intAt(newestBlocks, slot), filled(intAt(lengths, slot)));
      const inBlocks = place - firstBlock;
      if (inBlocks % BLOCK_ENTRIES > 0) return place - 1;
      return lastOf(pool.before(inBlocks / BLOCK_ENTRIES), BLOCK_ENTRIES);
    },
    timeMs: (place) => floatAt(times, place),
    calls: (place) => intAt(counts, place),
    append,
    addToNewest(timeMs) {
      times[slot] = timeMs;
      counts[slot] = intAt(counts, slot) + 1;
    },
    empty: () => clear(slot),
  };
}

/** Entries in the newest block, of a log that has one. */
function filled(length: number): number {
  return ((length - 2) % BLOCK_ENTRIES) + 1;
}
