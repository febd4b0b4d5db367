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
