import { isGiven, type JsonFields } from "./fields.ts";

/** Clients choose names; these are sent back in a header. */
const NAME = /^[\w.?-]{1,64}$/;
const MAX_NAMES = 32;

/** The names of what a translation leaves out. */
export class Dropped {
  readonly #names = new Set<string>();

  get names(): readonly string[] {
    return [...this.#names];
  }

  add(name: string): void {
    if (NAME.test(name) && this.#names.size < MAX_NAMES) this.#names.add(name);
  }

  /** Adds a field if it is given. */
  field(fields: JsonFields, name: string): void {
    if (isGiven(fields[name])) this.add(name);
  }

  /** Adds every field that is given and not known. */
  others(fields: JsonFields, known: ReadonlySet<string>): void {
    for (const name of Object.keys(fields)) if (!known.has(name)) this.field(fields, name);
  }
}
