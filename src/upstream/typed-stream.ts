import { type AnswerHold, REWRITTEN_WEIGHT } from "../core/call/answer-room.ts";
import { type AnswerEvent, type Completion, createGatheredText } from "../core/call/messages.ts";
import { WholeCharacters } from "../core/call/whole-characters.ts";
import { ProxyError } from "../core/errors.ts";
import { createEventParser, type EventParser, PARSED_EVENTS } from "../core/sse.ts";
import { readCompletion, readDelta } from "./answers.ts";
import type { ResponseBody, UpstreamResponse } from "./exchange.ts";
import type { Failures } from "./failures.ts";
import { beginsBlank, bodyKind, SignsOfLife } from "./opening.ts";

/**
 * Twice the longest answer of any model (128,000 tokens of four characters). A streamed answer is kept
 * for its last event, so this is also what a reader that never reads makes us keep.
 */
const MAX_TEXT_CHARACTERS = 1_048_576;

export interface Reading {
  readonly room: AnswerHold;
  readonly failures: Failures;
  readonly maxEventBytes: number;
}

export async function completionIn(
  { body }: UpstreamResponse,
  { room, failures }: Reading,
): Promise<Completion> {
  const text = String(await body.whole(room, REWRITTEN_WEIGHT));
  return withCleanNames(readCompletion(text, failures.early), failures);
}

/** Everything in a completion that is neither a number nor the model's own text. */
function withCleanNames(completion: Completion, { cleanName }: Failures): Completion {
  const { model, finishReason, upstreamId } = completion;
  return {
    ...completion,
    model: cleanName(model),
    finishReason: finishReason && cleanName(finishReason),
    upstreamId: upstreamId && cleanName(upstreamId),
  };
}

/**
 * Resolves when the first event has come, so that an error in its place has a status and another key
 * may do. A comment, or blanks that keep the call alive, do not wait for it.
 */
export async function openStream(
  response: UpstreamResponse,
  reading: Reading,
): Promise<AsyncIterable<AnswerEvent>> {
  if (await beginsBlank(response)) return readLater(response, reading);
  // some servers ignore `stream`; a whole answer is still an answer
  if ((await bodyKind(response, true)) !== "events") {
    return eventsOf(await completionIn(response, reading));
  }
  const opening = new Opening(response.body, reading);
  await opening.begin();
  return readEvents(opening, reading);
}

/** What it is will be known once it has begun. */
async function* readLater(
  response: UpstreamResponse,
  reading: Reading,
): AsyncGenerator<AnswerEvent> {
  if ((await bodyKind(response, true)) === "json") {
    yield* eventsOf(await completionIn(response, reading));
  } else {
    yield* readEvents(new Opening(response.body, reading), reading);
  }
}

/** The events of a body, of which the first ones are read before the others are asked for. */
class Opening {
  readonly body: ResponseBody;
  readonly #parser: EventParser;
  readonly #failures: Failures;
  #first: readonly string[] = [];
  #delta: Completion | null = null;
  #isOver = false;

  constructor(body: ResponseBody, { maxEventBytes, failures }: Reading) {
    this.body = body;
    this.#parser = createEventParser(PARSED_EVENTS * maxEventBytes);
    this.#failures = failures;
    body.unbound();
  }

  /** Reads up to the first event, or a sign of life. Throws if that is an error, or the end. */
  async begin(): Promise<void> {
    let signs: SignsOfLife | null = null;
    try {
      while (this.#first.length === 0 && !this.#isOver) {
        const { done, value } = await this.body.next();
        this.#isOver = done === true;
        this.#first = done === true ? this.#parser.end() : this.#parser.push(value);
        if (done === true || this.#first.length > 0) continue;
        signs ??= new SignsOfLife();
        if (signs.isIn(value)) return;
      }
      const [first] = this.#first;
      if (first === undefined || first === "[DONE]") throw new ProxyError("upstream_failed");
      this.#delta = readDelta(first, this.#failures.early);
    } catch (error) {
      void this.body.return?.();
      throw error;
    }
  }

  /** The first event as it was read already; null from then on. */
  takeFirst(): Completion | null {
    const delta = this.#delta;
    this.#delta = null;
    return delta;
  }

  async *events(): AsyncGenerator<string> {
    try {
      yield* this.#first;
      for (let next = await this.body.next(); next.done !== true; next = await this.body.next()) {
        for (const data of this.#parser.push(next.value)) yield data;
      }
      for (const data of this.#parser.end()) yield data;
    } finally {
      // a reader that leaves closes the upstream
      void this.body.return?.();
    }
  }
}

async function* readEvents(opening: Opening, { failures }: Reading): AsyncGenerator<AnswerEvent> {
  const text = createGatheredText();
  const whole = new WholeCharacters();
  let characters = 0;
  let known: Completion | null = null;
  let done = false;
  for await (const data of opening.events()) {
    done = data === "[DONE]";
    if (done) {
      opening.body.drain();
      break;
    }
    const delta = opening.takeFirst() ?? readDelta(data, failures.early, known?.usage);
    characters += delta.text.length;
    checkLength(characters);
    if (known === null) yield { type: "answer-start", model: failures.cleanName(delta.model) };
    known = withLatest(known ?? delta, delta);
    if (delta.unsaid !== undefined) yield { type: "unsaid", text: delta.unsaid };
    const piece = whole.next(delta.text);
    text.add(piece);
    if (piece !== "") yield { type: "text-delta", text: piece };
  }
  const half = whole.rest();
  text.add(half);
  if (half !== "") yield { type: "text-delta", text: half };
  const completion = { ...complete(known, done), text: text.whole() };
  yield { type: "answer-end", completion: withCleanNames(completion, failures) };
}

function checkLength(characters: number): void {
  if (characters > MAX_TEXT_CHARACTERS) throw new ProxyError("upstream_bad_answer");
}

/** An end without a reason or [DONE] is a cut connection that happened to close cleanly. */
function complete(known: Completion | null, done: boolean): Completion {
  if (known !== null && (done || known.finishReason !== null)) return known;
  throw new ProxyError("upstream_failed");
}

function withLatest(known: Completion, delta: Completion): Completion {
  return {
    text: "",
    model: delta.model || known.model,
    finishReason: delta.finishReason ?? known.finishReason,
    usage: delta.usage ?? known.usage,
    ...((known.reasoned === true || delta.reasoned === true) && { reasoned: true }),
    upstreamId: delta.upstreamId ?? known.upstreamId,
  };
}

async function* eventsOf(completion: Completion): AsyncGenerator<AnswerEvent> {
  yield { type: "answer-start", model: completion.model };
  if (completion.text !== "") yield { type: "text-delta", text: completion.text };
  yield { type: "answer-end", completion };
}
