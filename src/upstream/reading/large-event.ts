import { hasNoChoices, heldFrom, withoutNullUsage } from "./hidden-usage.ts";
import { streamEvent } from "./places.ts";
import type { RawText } from "./raw-text.ts";
import { Skeleton } from "./skeleton.ts";

/** As many bytes as the end of an event can have, but one. */
const MAX_CUT_END_BYTES = 3;

/** A part of an event that is too large to be held: what a client sees of it, and where it ends. */
export interface LargePart {
  readonly shown: string;
  /** Behind the event in the text, or -1 if it goes on. */
  readonly end: number;
}

/** An event above the bound on what is held. It is read as it passes. */
export class LargeEvent {
  readonly #skeleton: Skeleton;
  readonly #hidesUsage: boolean;
  readonly #isHidden: boolean;
  #ending = "";
  #held = "";

  /** `begun` is the event as far as it has come, `json` where its JSON begins. */
  constructor(begun: string, json: number, passed: RawText, hidesUsage: boolean) {
    this.#hidesUsage = hidesUsage;
    this.#isHidden = hidesUsage && hasNoChoices(begun);
    this.#skeleton = new Skeleton(streamEvent, passed);
    this.#skeleton.push(begun, json);
  }

  get value(): object {
    return this.#skeleton.value;
  }

  get isWhole(): boolean {
    return this.#skeleton.isWhole;
  }

  /** What to show of the text it was begun with, or of the next one up to its end. */
  show(text: string, endOfEvent: (text: string, from: number) => number): LargePart {
    const known = this.#ending.length;
    const seen = this.#ending + text;
    const found = endOfEvent(seen, 0);
    const end = found === -1 ? -1 : found - known;
    const part = end === -1 ? text : text.slice(0, end);
    this.#ending = seen.slice(-MAX_CUT_END_BYTES);
    return { shown: this.#visible(part, end !== -1), end };
  }

  read(text: string): void {
    if (!this.#skeleton.isWhole) this.#skeleton.push(text);
  }

  /** What is still held back when the stream ends within the event. */
  rest(): string {
    return this.#visible("", true);
  }

  #visible(part: string, isEnd: boolean): string {
    if (this.#isHidden) return "";
    if (!this.#hidesUsage) return part;
    const text = this.#held + part;
    const from = isEnd ? text.length : heldFrom(text);
    this.#held = text.slice(from);
    return withoutNullUsage(text.slice(0, from));
  }
}
