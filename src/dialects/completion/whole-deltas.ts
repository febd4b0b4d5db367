import { WholeCharacters } from "../../core/call/whole-characters.ts";

/** Choices whose texts are kept together; nobody asks for more. */
const MAX_CHOICES = 128;
const TEXTS = ["content", "refusal"];

/** Keeps characters together in the texts of a stream's choices: half of one goes with the next chunk. */
export class WholeDeltas {
  readonly #texts = new Map<string, WholeCharacters>();

  /** Changes the chunk where a character was cut. */
  mend(chunk: object): void {
    const choices: unknown = Reflect.get(chunk, "choices");
    if (!Array.isArray(choices)) return;
    for (const choice of choices) if (isObject(choice)) this.#mendChoice(choice);
  }

  #mendChoice(choice: object): void {
    const delta: unknown = Reflect.get(choice, "delta");
    if (!isObject(delta)) return;
    const isLast = typeof Reflect.get(choice, "finish_reason") === "string";
    for (const name of TEXTS) {
      const piece: unknown = Reflect.get(delta, name) ?? "";
      if (typeof piece !== "string") continue;
      const key = `${name} ${String(Reflect.get(choice, "index"))}`;
      const text = this.#next(key, piece, isLast);
      if (text !== piece) Reflect.set(delta, name, text);
    }
  }

  #next(key: string, piece: string, isLast: boolean): string {
    const known = this.#texts.get(key) ?? new WholeCharacters();
    const text = known.next(piece);
    if (!this.#texts.has(key) && this.#texts.size < MAX_CHOICES && text !== piece) {
      this.#texts.set(key, known);
    }
    return isLast ? text + known.rest() : text;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
