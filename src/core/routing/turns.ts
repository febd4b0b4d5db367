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

  /** Whose turn it is among those that may have it; null if none may. */
  next(mayHave: (item: T) => boolean): T | null {
    const able = this.#all.filter(({ item }) => mayHave(item));
    const [first] = able;
    if (first === undefined) return null;
    if (able.length === 1) return first.item;
    let chosen = first;
    let total = 0;
    for (const one of able) {
      one.credit += one.weight;
      total += one.weight;
      if (one.credit > chosen.credit) chosen = one;
    }
    chosen.credit -= total;
    return chosen.item;
  }
}
