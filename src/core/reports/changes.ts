export const changeKinds = ["token", "group", "price", "upstream", "route"] as const;
export type ChangeKind = (typeof changeKinds)[number];

/** What an operator has changed. */
export interface Change {
  /** Sorts by time. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly kind: ChangeKind;
  /** The id of a token, the name of another, the model of a price or route. */
  readonly subject: string;
  readonly action: string;
  /** JSON: what changed, before and after. No secret. */
  readonly detail: string;
}

export interface ChangeQuery {
  /** At most 1,000. */
  readonly limit: number;
  readonly kind?: ChangeKind;
  readonly subject?: string;
  /** The id of the last one seen. */
  readonly before?: string;
}
