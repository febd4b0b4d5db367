import type { RelayAccount, RelayPiece } from "../core/ports.ts";
import { accountIn, NOTHING_KNOWN, typeIn } from "./json-scanner.ts";

export interface EventScanner {
  /** What of this piece to pass on, in order; none while an event is incomplete. */
  push(chunk: Buffer): RelayPiece[];
  /** What was held back, once the upstream has ended. */
  rest(): Buffer;
  /** Whether the answer ended as answers end, not as connections break. */
  isComplete(): boolean;
  account(): RelayAccount;
}

const NOTHING = Buffer.alloc(0);
const LINE_FEED = 0x0a;
const BLANK = 0x20;
const QUOTE = 0x22;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
/** `data: [DONE]` and some room. */
const DONE_BYTES = 16;
/** Both kinds of line end that servers use; an event ends with an empty line. */
const EVENT_ENDS = ["\n\n", "\r\n\r\n", "\r\r"];
/** How chat and completions streams say that they are over; as a line, since texts may say it too. */
const DONE = /(^|[\r\n])data: ?\[DONE\]/;
/** How a stream of the responses API does, as the type of an event: what it holds may name any. */
const LAST_TYPES_BEGIN = "response.";
const LAST_TYPES = ["response.completed", "response.incomplete", "response.failed"];

/**
 * Reads usage beside the bytes of an event stream. Only whole events are looked at, however the
 * bytes were cut; unless usage is to be hidden each piece passes at once and unchanged. When it is,
 * the event that holds it (and the `"usage":null` it brings into the others) is taken out, and
 * pieces pass up to the last whole event. An event above `maxEventBytes` is passed on unread.
 */
export function createEventScanner(hideUsage: boolean, maxEventBytes: number): EventScanner {
  return new Scanner(hideUsage, maxEventBytes);
}

/** A class, as there is one for every open stream: functions of its own took it 1 KiB more. */
class Scanner implements EventScanner {
  readonly #hideUsage: boolean;
  readonly #maxEventBytes: number;
  #carry: Buffer = NOTHING;
  #account = NOTHING_KNOWN;
  #finished = false;

  constructor(hideUsage: boolean, maxEventBytes: number) {
    this.#hideUsage = hideUsage;
    this.#maxEventBytes = maxEventBytes;
  }

  push(chunk: Buffer): RelayPiece[] {
    // only the event that was cut is joined: a copy of every piece would double what is to collect
    const cut = this.#carry.length === 0 ? 0 : startOfEvents(chunk);
    if (cut === 0 || cut === chunk.length) return this.#take(chunk);
    return [...this.#take(chunk.subarray(0, cut)), ...this.#take(chunk.subarray(cut))];
  }

  rest(): Buffer {
    return this.#hideUsage ? this.#carry : NOTHING;
  }

  isComplete(): boolean {
    return this.#finished;
  }

  account(): RelayAccount {
    return this.#account;
  }

  #take(part: Buffer): RelayPiece[] {
    const seen = this.#carry.length === 0 ? part : Buffer.concat([this.#carry, part]);
    const end = endOfEvents(seen);
    const events = seen.subarray(0, end);
    const rest = seen.subarray(end);
    // an event that only lacks its empty line already says [DONE] to whoever reads by lines
    const last = this.#read(events) || DONE.test(rest.toString("latin1", 0, DONE_BYTES));
    const isTooLarge = rest.length > this.#maxEventBytes;
    this.#carry = rest.length === 0 || isTooLarge ? NOTHING : Buffer.from(rest);
    if (!this.#hideUsage) return [{ bytes: part, last }];
    const shown = withoutUsage(events);
    return pieceOf(isTooLarge ? Buffer.concat([shown, rest]) : shown, last);
  }

  #read(events: Buffer): boolean {
    if (events.length === 0) return false;
    // comments may come first, and an upstream's first event may leave the model empty
    if (!tells(this.#account)) this.#account = firstAccount(events) ?? this.#account;
    // servers that were asked for usage write `"usage":null` into all events but one
    if (hasValue(events, '"usage"', OPEN_BRACE)) {
      this.#account = lastAccount(events, this.#account);
    }
    const last = isLast(events);
    this.#finished ||= last || hasValue(events, '"finish_reason"', QUOTE);
    return last;
  }
}

function pieceOf(bytes: Buffer, last: boolean): RelayPiece[] {
  return bytes.length === 0 && !last ? [] : [{ bytes, last }];
}

/** Where the first event that begins in this piece begins; 0 when none does. */
function startOfEvents(bytes: Buffer): number {
  const starts = EVENT_ENDS.map((end) => bytes.indexOf(end) + end.length).filter(
    (start, index) => start >= (EVENT_ENDS[index]?.length ?? 0),
  );
  return starts.length === 0 ? 0 : Math.min(...starts);
}

/** Where the last whole event ends: mostly where the piece does. */
function endOfEvents(bytes: Buffer): number {
  const { length } = bytes;
  if (bytes[length - 1] === LINE_FEED && bytes[length - 2] === LINE_FEED) return length;
  return Math.max(
    ...EVENT_ENDS.map((end) => {
      const at = bytes.lastIndexOf(end);
      return at === -1 ? 0 : at + end.length;
    }),
  );
}

function isLast(events: Buffer): boolean {
  if (events.includes("[DONE]") && DONE.test(events.toString("latin1"))) return true;
  if (!events.includes(LAST_TYPES_BEGIN)) return false;
  if (!LAST_TYPES.some((type) => events.includes(type))) return false;
  return dataOf(events).some((data) => LAST_TYPES.includes(typeIn(data) ?? ""));
}

/** Whether the key has a value that begins so. A text can't look like a key: its quotes are escaped. */
function hasValue(events: Buffer, key: string, begin: number): boolean {
  for (let at = events.indexOf(key); at !== -1; at = events.indexOf(key, at + key.length)) {
    let index = at + key.length;
    while (events[index] === COLON || events[index] === BLANK) index += 1;
    if (events[index] === begin) return true;
  }
  return false;
}

function firstAccount(events: Buffer): RelayAccount | undefined {
  return dataOf(events).map(accountIn).find(tells);
}

function tells({ model, upstreamId }: RelayAccount): boolean {
  return Boolean(model) || Boolean(upstreamId);
}

/** Usage is cumulative where it comes more than once: the last one counts. */
function lastAccount(events: Buffer, known: RelayAccount): RelayAccount {
  let { usage } = known;
  for (const data of dataOf(events)) {
    if (data.includes('"usage"')) usage = accountIn(data).usage ?? usage;
  }
  return { ...known, usage };
}

function* dataOf(events: Buffer): Generator<string> {
  for (const line of events.toString("utf8").split(/\r\n|\n|\r/)) {
    if (line.startsWith("data:")) yield line.slice(5).trim();
  }
}

/** Byte for byte what would have come had nobody asked for usage. */
function withoutUsage(events: Buffer): Buffer {
  if (!events.includes('"usage"')) return events;
  const parts = partsWithout(events, NULL_USAGE);
  if (!parts.some((part) => part.includes('"usage"'))) return Buffer.concat(parts);
  // Latin-1 keeps every byte
  const kept = events
    .toString("latin1")
    .split(/(?<=\n\n|\r\n\r\n|\r\r)/)
    .filter((event) => !isUsageEvent(event))
    .map((event) => event.replace(/, ?"usage": ?null|"usage": ?null, ?/, ""));
  return Buffer.from(kept.join(""), "latin1");
}

/** As OpenAI writes it, and those that do it alike: taken out without decoding an event. */
const NULL_USAGE = ',"usage":null';

function partsWithout(bytes: Buffer, text: string): Buffer[] {
  const parts: Buffer[] = [];
  let from = 0;
  for (let at = bytes.indexOf(text); at !== -1; at = bytes.indexOf(text, from)) {
    parts.push(bytes.subarray(from, at));
    from = at + text.length;
  }
  parts.push(bytes.subarray(from));
  return parts;
}

/** OpenAI's extra event: counts, and no choices. */
function isUsageEvent(event: string): boolean {
  return /"choices": ?\[\]/.test(event) && /"usage": ?\{/.test(event);
}
