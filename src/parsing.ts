/** Why a value was refused. `K` names a locale text; `params` fill its placeholders. */
export interface Problem<K extends string = string> {
  readonly key: K;
  readonly params?: Readonly<Record<string, string | number>>;
}

interface Refusal<K extends string> {
  readonly problem: Problem<K>;
}

export type Parsed<T, K extends string = string> = { readonly value: T } | Refusal<K>;

export function refused<K extends string>(key: K, params?: Problem["params"]): Refusal<K> {
  return { problem: params === undefined ? { key } : { key, params } };
}

/** Whether a header can carry the text: visible ASCII, no blanks. */
export function isHeaderText(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}
