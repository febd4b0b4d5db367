import type { RelayAccount, RelayPiece } from "../core/ports.ts";
import { accountIn, NOTHING_KNOWN } from "./json-scanner.ts";

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
/** Both kinds of line end that servers use; an event ends with an empty line. */
const EVENT_ENDS = ["\n\n", "\r\n\r\n", "\r\r"];
/** How chat, completions and responses streams say that they are over. */
const LAST = /data: ?\[DONE\]|"type": ?"response\.(completed|incomplete|failed)"/;

/**
 * Reads usage beside the bytes of an event stream. Only whole events are looked at, however the
 * bytes were cut; unless usage is to be hidden each piece passes at once and unchanged. When it is,
 * the event that holds it (and the `"usage":null` it brings into the others) is taken out, and
 * pieces pass up to the last whole event. An event above `maxEventBytes` is passed on unread.
 */
export function createEventScanner(hideUsage: boolean, maxEventBytes: number): EventScanner {
  let carry: Buffer = NOTHING;
  let account = NOTHING_KNOWN;
  let started = false;
  let finished = false;

  const read = (events: Buffer): boolean => {
    if (events.length === 0) return false;
    if (!started) account = firstAccount(events);
    started = true;
    if (events.includes('"usage"')) account = lastAccount(events, account);
    const last = isLast(events);
    finished ||= last || hasFinishReason(events);
    return last;
  };

  const take = (part: Buffer): RelayPiece[] => {
    const seen = carry.length === 0 ? part : Buffer.concat([carry, part]);
    const end = endOfEvents(seen);
    const events = seen.subarray(0, end);
    const rest = seen.subarray(end);
    // an event that only lacks its empty line already says [DONE] to whoever reads by lines
    const last = read(events) || rest.includes("[DONE]");
    const isTooLarge = rest.length > maxEventBytes;
    carry = rest.length === 0 || isTooLarge ? NOTHING : Buffer.from(rest);
    if (!hideUsage) return [{ bytes: part, last }];
    const shown = withoutUsage(events);
    return pieceOf(isTooLarge ? Buffer.concat([shown, rest]) : shown, last);
  };

  return {
    push(chunk) {
      // only the event that was cut is joined: a copy of every piece would double what is to collect
      const cut = carry.length === 0 ? 0 : startOfEvents(chunk);
      if (cut === 0 || cut === chunk.length) return take(chunk);
      return [...take(chunk.subarray(0, cut)), ...take(chunk.subarray(cut))];
    },
    rest: () => (hideUsage ? carry : NOTHING),
    isComplete: () => finished,
    account: () => account,
  };
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

/** Where the last whole event ends. */
function endOfEvents(bytes: Buffer): number {
  return Math.max(
    ...EVENT_ENDS.map((end) => {
      const at = bytes.lastIndexOf(end);
      return at === -1 ? 0 : at + end.length;
    }),
  );
}

function isLast(events: Buffer): boolean {
  if (!events.includes("[DONE]") && !events.includes("response.")) return false;
  return LAST.test(events.toString("latin1"));
}

function hasFinishReason(events: Buffer): boolean {
  return events.includes('"finish_reason":"') || events.includes('"finish_reason": "');
}

function firstAccount(events: Buffer): RelayAccount {
  for (const data of dataOf(events)) return accountIn(data);
  return NOTHING_KNOWN;
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

/** Byte for byte what would have come had nobody asked for usage. Latin-1 keeps every byte. */
function withoutUsage(events: Buffer): Buffer {
  if (!events.includes('"usage"')) return events;
  const kept = events
    .toString("latin1")
    .split(/(?<=\n\n|\r\n\r\n|\r\r)/)
    .filter((event) => !isUsageEvent(event))
    .map((event) => event.replace(/, ?"usage": ?null|"usage": ?null, ?/, ""));
  return Buffer.from(kept.join(""), "latin1");
}

/** OpenAI's extra event: counts, and no choices. */
function isUsageEvent(event: string): boolean {
  return /"choices": ?\[\]/.test(event) && /"usage": ?\{/.test(event);
}
