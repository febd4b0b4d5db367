import { endOfDigits, slashesBefore } from "./kept.ts";
import type { Span } from "./places.ts";
import type { RawText } from "./raw-text.ts";

/**
 * What the events of a stream have in common. An event that differs from a known one only in its text,
 * or in what says nothing about the call, tells nothing new and is not read: that takes a tenth of the
 * time of reading it.
 */
export class EventShape {
  /** Whether a client sees less than there is. */
  readonly hides: boolean;
  readonly #parts: readonly string[];
  readonly #shown: readonly string[];
  readonly #kinds: readonly Span["kind"][];
  readonly #starts: number[];
  readonly #ends: number[];

  /** `hidden` is taken out of what a client sees. */
  constructor(event: string, spans: readonly Span[], hide: (part: string) => string) {
    const edges = [{ end: 0 }, ...spans];
    const parts = edges.map(({ end }, index) => event.slice(end, spans[index]?.start));
    this.#parts = parts.map(copied);
    this.#shown = this.#parts.map(hide);
    this.hides = this.#shown.some((part, index) => part !== this.#parts[index]);
    this.#kinds = spans.map(({ kind }) => kind);
    this.#starts = spans.map(({ start }) => start);
    this.#ends = spans.map(({ end }) => end);
  }

  /** Where the event at `from` ends if it has this shape, else -1. */
  match(text: string, from: number): number {
    const parts = this.#parts;
    let at = from;
    for (let index = 0; ; index += 1) {
      const part = parts[index] ?? "";
      const end = at + part.length;
      // four times as fast as startsWith
      if (text.slice(at, end) !== part) return -1;
      at = end;
      const kind = this.#kinds[index];
      if (kind === undefined) return at;
      this.#starts[index] = at;
      at = kind === "digits" ? endOfDigits(text, at) : endOfString(text, at);
      if (at === -1) return -1;
      this.#ends[index] = at;
    }
  }

  /** Counts the text of the event that matched last. */
  count(text: string, passed: RawText): void {
    for (let index = 0; index < this.#kinds.length; index += 1) {
      const start = this.#starts[index] ?? 0;
      const end = this.#ends[index] ?? 0;
      if (this.#kinds[index] !== "spoken" || start === end) continue;
      passed.beginPiece();
      passed.addRaw(text, start, end);
    }
  }

  /** The event that matched last, as a client sees it. */
  shown(text: string): string {
    let shown = this.#shown[0] ?? "";
    for (let index = 0; index < this.#kinds.length; index += 1) {
      shown += text.slice(this.#starts[index], this.#ends[index]) + (this.#shown[index + 1] ?? "");
    }
    return shown;
  }
}

/** A slice would keep the whole piece in memory. */
export function copied(latin: string): string {
  return Buffer.from(latin, "latin1").toString("latin1");
}

function endOfString(text: string, from: number): number {
  for (let at = from; ; at += 1) {
    at = text.indexOf('"', at);
    if (at === -1) return -1;
    if (slashesBefore(text, at, from) % 2 === 0) return at;
  }
}
