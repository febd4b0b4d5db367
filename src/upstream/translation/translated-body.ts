import { type AnswerHold, REWRITTEN_WEIGHT } from "../../core/call/answer-room.ts";
import { createEventParser, type EventParser, PARSED_EVENTS } from "../../core/sse.ts";
import type { ResponseBody, UpstreamResponse } from "../exchange.ts";
import { type BodyKind, bodyKind, SignsOfLife } from "../opening.ts";
import { COMMENT, type EventTranslation } from "./events.ts";
import { heard } from "./silence.ts";

/** How answers are translated. */
export interface AnswerTranslation {
  /** A whole answer. An error, and what is no JSON, is returned as it is. */
  readonly whole: (bytes: Buffer) => Buffer;
  /** The same as events, for who has asked for a stream. Left out: a whole answer will do. */
  readonly wholeAsEvents?: (bytes: Buffer) => Buffer;
  /** The events of a stream. */
  readonly events: () => EventTranslation;
}

export interface TranslatedBodyOptions {
  readonly translation: AnswerTranslation;
  readonly streamed: boolean;
  /** Where a whole answer counts what it takes. */
  readonly room: AnswerHold;
  /** An event is parsed as a whole, so it has a bound. */
  readonly maxEventBytes: number;
  /** After so long without an event the reader is told that more will come. */
  readonly silenceMs: number;
}

/** A body in the other language. Events are translated as they come; only a whole answer is gathered. */
export class TranslatedBody implements ResponseBody {
  readonly #response: UpstreamResponse;
  readonly #inner: ResponseBody;
  readonly #options: TranslatedBodyOptions;
  readonly #parser: EventParser;
  readonly #given: Buffer[] = [];
  #events: EventTranslation | null = null;
  #signs: SignsOfLife | null = null;
  #kind: BodyKind | null = null;
  #waiting: Promise<IteratorResult<Buffer>> | null = null;
  #isOver = false;
  /** Thrown once all that came before it has passed. */
  #failure: unknown = null;

  constructor(response: UpstreamResponse, options: TranslatedBodyOptions) {
    this.#response = response;
    this.#inner = response.body;
    this.#options = options;
    this.#parser = createEventParser(PARSED_EVENTS * options.maxEventBytes);
  }

  async next(): Promise<IteratorResult<Buffer>> {
    const given = this.#given.shift();
    if (given !== undefined) return { done: false, value: given };
    if (this.#isOver) return OVER;
    this.#kind ??= await bodyKind(this.#response, this.#options.streamed);
    if (this.#kind === "other") return this.#inner.next();
    return this.#kind === "json" ? this.#gather() : this.#translate();
  }

  async whole(room: AnswerHold, weight = 1): Promise<Buffer> {
    const { done, value } = await this.next();
    if (done === true) return NOTHING;
    // it took its room when it was gathered
    if (this.#kind !== "other") return value;
    this.#inner.unread(value);
    return this.#inner.whole(room, weight);
  }

  unread(chunk: Buffer): void {
    if (this.#kind === "other") this.#inner.unread(chunk);
    else this.#given.unshift(chunk);
  }

  unbound(): void {
    this.#inner.unbound();
  }

  return(): Promise<IteratorResult<Buffer>> {
    this.#isOver = true;
    this.#given.length = 0;
    void this.#inner.return?.();
    return Promise.resolve(OVER);
  }

  drain(): void {
    this.#isOver = true;
    this.#inner.drain();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #gather(): Promise<IteratorResult<Buffer>> {
    const { room, streamed, translation } = this.#options;
    const bytes = await this.#inner.whole(room, REWRITTEN_WEIGHT);
    this.#isOver = true;
    const { whole, wholeAsEvents = whole } = translation;
    return { done: false, value: streamed ? wholeAsEvents(bytes) : whole(bytes) };
  }

  async #translate(): Promise<IteratorResult<Buffer>> {
    this.#events ??= this.#options.translation.events();
    const events = this.#events;
    if (this.#failure !== null) throw this.#failure;
    while (!this.#isOver) {
      const next = await this.#read(events);
      const text = next === null ? events.ping : this.#textOf(next, events);
      if (text !== "") return { done: false, value: Buffer.from(text) };
    }
    return OVER;
  }

  /** Null: nothing has come for a while. What comes then is read by the next call. */
  async #read({ ping }: EventTranslation): Promise<IteratorResult<Buffer> | null> {
    this.#waiting ??= this.#inner.next();
    const waiting = this.#waiting;
    const next = await (ping === "" ? waiting : heard(waiting, this.#options.silenceMs));
    if (next !== null) this.#waiting = null;
    return next;
  }

  #textOf({ done, value }: IteratorResult<Buffer>, events: EventTranslation): string {
    const all = done === true ? this.#parser.end() : this.#parser.push(value);
    let text = "";
    for (const data of all) {
      try {
        text += events.next(data);
      } catch (thrown) {
        if (text === "") throw thrown;
        this.#failure = thrown;
        return text;
      }
    }
    if (done === true) {
      this.#isOver = true;
      return text + events.end();
    }
    return all.length === 0 ? this.#commentIn(value) : text;
  }

  /** A comment keeps the connection open, on the way to the client too. */
  #commentIn(chunk: Buffer): string {
    this.#signs ??= new SignsOfLife();
    return this.#signs.isIn(chunk) ? COMMENT : "";
  }
}

const NOTHING = Buffer.alloc(0);
const OVER: IteratorReturnResult<undefined> = { done: true, value: undefined };
