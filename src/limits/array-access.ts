/**
 * Every index used is inside the array; the 0 only satisfies the type. Two functions, because one
 * that has seen both kinds of arrays is five times as slow.
 */
export function intAt(array: Int32Array, index: number): number {
  return array[index] ?? 0;
}

export function floatAt(array: Float64Array, index: number): number {
  return array[index] ?? 0;
}

/**
 * Entries that a table has room for at first; it gets all of its room with the first one more. Room that
 * nothing has touched costs no memory, but to allocate it takes milliseconds.
 */
export const FIRST_ROOM = 1_024;

/** A copy with room for more; what is new is 0. */
export function longerInts(array: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(length);
  longer.set(array);
  return longer;
}

export function longerFloats(array: Float64Array, length: number): Float64Array<ArrayBuffer> {
  const longer = new Float64Array(length);
  longer.set(array);
  return longer;
}
