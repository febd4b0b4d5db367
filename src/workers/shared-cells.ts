import type { Cells } from "../limits/cells.ts";

/** What is handed to a thread, so that it sees the same numbers. */
export type SharedMemory = Map<string, SharedArrayBuffer>;

/**
 * Numbers that all workers see. What a thread asks for by a name that is in `memory` is that, and
 * anything else is made: so worker 0 composes before the others are started. Pages that nobody
 * touches take no memory.
 */
export function createSharedCells(memory: SharedMemory): Cells {
  const bufferOf = (name: string, bytes: number): SharedArrayBuffer => {
    const known = memory.get(name);
    if (known?.byteLength === bytes) return known;
    if (known !== undefined) throw new Error(`${name} is shared in another size`);
    const made = new SharedArrayBuffer(bytes);
    memory.set(name, made);
    return made;
  };
  return {
    ints: (name, length) => new Int32Array(bufferOf(name, length * 4)),
    floats: (name, length) => new Float64Array(bufferOf(name, length * 8)),
  };
}
