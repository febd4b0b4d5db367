declare const nameOfField: unique symbol;

type NamedValue<T, Name> = T extends unknown
  ? string extends T
    ? T & { readonly [nameOfField]?: Name }
    : number extends T
      ? T & { readonly [nameOfField]?: Name }
      : T
  : never;

/**
 * The same fields, whose texts and numbers carry their field's name as a type. A value read from one
 * field does not compile in the place of another; a plain text or number fits anywhere.
 */
export type Named<T> = { readonly [Name in keyof T]: NamedValue<T[Name], Name> };

export type SnakeCaseName<Name> = Name extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `_${Lowercase<First>}`}${SnakeCaseName<Rest>}`
  : "";

/** The same fields with names in snake_case, as in tables and responses. */
export type SnakeCase<T> = { -readonly [Name in keyof T as SnakeCaseName<Name>]: T[Name] };
