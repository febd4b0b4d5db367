/**
 * Where counts are kept: numbers by name, in memory of this thread's own or in memory that all
 * workers share. Whoever asks for a name again, in whatever thread, is given the same numbers.
 */
export interface Cells {
  ints(name: string, length: number): Int32Array;
  floats(name: string, length: number): Float64Array;
}

/** Of a single thread: they start as zeros, as shared ones do, and a name is asked for once. */
export const ownCells: Cells = {
  ints: (_name, length) => new Int32Array(length),
  floats: (_name, length) => new Float64Array(length),
};

/**
 * Every index used lies inside the array; the 0 only satisfies the type. Two functions, because one
 * that has seen both kinds of arrays is five times as slow.
 */
export function intAt(array: Int32Array, index: number): number {
  return array[index] ?? 0;
}

export function floatAt(array: Float64Array, index: number): number {
  return array[index] ?? 0;
}
