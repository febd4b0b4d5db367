/** Something that is taken in turn, as often as its weight says. */
export interface Weighted<T> {
  readonly item: T;
  readonly weight: number;
}

/**
 * Smooth weighted round robin: of any calls in a row, each item gets its share to within one. Each copy
 * counts by itself, which comes to the same shares.
 */
export class WeightedTurns<T> {
  readonly #all: readonly { readonly item: T; readonly weight: number; credit: number }[];

  constructor(weighted: readonly Weighted<T>[]) {
    this.#all = weighted
      .map(({ item, weight }) => ({ item, weight, credit: 0 }))
      .toSorted((a, b) => b.weight - a.weight);
  }

  /** Whose turn it is among those that are ready, then the other ready ones, the heaviest first. */
  next(isReady: (item: T) => boolean): readonly T[] {
    const ready = this.#all.filter(({ item }) => isReady(item));
    const [first] = ready;
    if (first === undefined || ready.length === 1) return ready.map(({ item }) => item);
    let chosen = first;
    let total = 0;
    for (const one of ready) {
      one.credit += one.weight;
      total += one.weight;
      if (one.credit > chosen.credit) chosen = one;
    }
    chosen.credit -= total;
    return [chosen, ...ready.filter((one) => one !== chosen)].map(({ item }) => item);
  }
}
