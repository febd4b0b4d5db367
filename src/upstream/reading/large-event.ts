import { type Clean, withoutSecrets } from "./blame.ts";
import { hasNoChoices, heldFrom, withoutNullUsage } from "./hidden-usage.ts";
import { streamEvent } from "./places.ts";
import type { RawText } from "./raw-text.ts";
import { Skeleton } from "./skeleton.ts";

/** As many bytes as the end of an event can have, but one. */
const MAX_CUT_END_BYTES = 3;
/** Words about errors that are held for their end; more is looked through in parts. */
const MAX_HELD_CHARACTERS = 65_536;

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
  readonly #clean: Clean;
  #json: number;
  #ending = "";
  #held = "";
  #blaming = "";
  /** Where `#blaming` begins in the event. */
  #from = 0;

  /** `begun` is the event as far as it has come, `json` where its JSON begins. It is shown first. */
  constructor(begun: string, json: number, passed: RawText, hidesUsage: boolean, clean: Clean) {
    this.#hidesUsage = hidesUsage;
    this.#isHidden = hidesUsage && hasNoChoices(begun);
    this.#skeleton = new Skeleton(streamEvent, passed);
    this.#json = json;
    this.#clean = clean;
  }

  get value(): object {
    return this.#skeleton.value;
  }

  get isWhole(): boolean {
    return this.#skeleton.isWhole;
  }

  /** Reads the text it was begun with, or the next one up to its end; returns what to show of it. */
  show(text: string, endOfEvent: (text: string, from: number) => number): LargePart {
    const known = this.#ending.length;
    const seen = this.#ending + text;
    const found = endOfEvent(seen, 0);
    const end = found === -1 ? -1 : found - known;
    const part = end === -1 ? text : text.slice(0, end);
    this.#ending = seen.slice(-MAX_CUT_END_BYTES);
    if (!this.#skeleton.isWhole) this.#skeleton.push(part, this.#json);
    this.#json = 0;
    return { shown: this.#visible(this.#cleaned(part, end !== -1), end !== -1), end };
  }

  /** What is still held back when the stream ends within the event. */
  rest(): string {
    return this.#visible(this.#cleaned("", true), true);
  }

  /** Words about an error are held until all of them are there. */
  #cleaned(part: string, isEnd: boolean): string {
    const { blames, blameFrom } = this.#skeleton;
    const text = this.#blaming + part;
    const open = blameFrom === -1 ? text.length : Math.max(0, blameFrom - this.#from);
    const isHeld = !isEnd && text.length - open <= MAX_HELD_CHARACTERS;
    const cut = isHeld ? open : text.length;
    const whole = blames.splice(0);
    if (open < cut) whole.push({ start: this.#from + open, end: this.#from + cut });
    const shown = withoutSecrets(text.slice(0, cut), whole, this.#clean, this.#from);
    this.#blaming = text.slice(cut);
    this.#from += cut;
    return shown;
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
