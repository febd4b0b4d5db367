import { NOTHING_SEEN } from "../../core/call/estimate.ts";
import type { RelayAccount } from "../../core/upstream-ports.ts";
import { accountIn } from "./account.ts";
import { fieldOf, stringIn } from "./json.ts";

/** The last event of the responses API, of those for audio and of Anthropic's, by its type. */
const LAST_TYPES = [
  ...["response.completed", "response.incomplete", "response.failed"],
  ...["transcript.text.done", "speech.audio.done", "message_stop"],
];
/** The end of one image; there may be others. */
const IMAGE_TYPES = ["image_generation.completed", "image_edit.completed"];

/** What the events of a stream have said about its call. */
export class StreamAccount {
  /** Without the tokens of its text, which are counted elsewhere. */
  known = NOTHING_SEEN;
  /** The answer has come to its end, whether or not its last event has come. */
  isComplete = false;
  #sequence = -1;

  /** The number that the next event of the responses API would have. */
  get nextSequence(): number {
    return this.#sequence + 1;
  }

  /** An event that tells nothing new: events are numbered without gaps. */
  skip(): void {
    if (this.#sequence >= 0) this.#sequence += 1;
  }

  /** Returns whether this is the last event. */
  learn(event: object): boolean {
    const sequence = fieldOf(event, "sequence_number");
    if (typeof sequence === "number") this.#sequence = sequence;
    const told = accountIn(event, this.known.usage);
    this.known = latest(this.known, told, fieldOf(event, "response") !== undefined);
    const type = stringIn(event, "type") ?? "";
    const isLast = LAST_TYPES.includes(type);
    this.isComplete ||= isLast || IMAGE_TYPES.includes(type) || hasReason(event);
    return isLast;
  }
}

/** Whether an event says anything that the next one of its kind may not say again. */
export function isTelling(event: object): boolean {
  return hasReason(event) || accountIn(event).usage !== null;
}

function hasReason(event: object): boolean {
  const choices = fieldOf(event, "choices");
  if (Array.isArray(choices)) return Boolean(stringIn(choices[0], "finish_reason"));
  return Boolean(stringIn(fieldOf(event, "delta"), "stop_reason"));
}

/** The first event may leave the model empty. The last usage counts, as usage is cumulative. */
function latest(known: RelayAccount, told: RelayAccount, hasState: boolean): RelayAccount {
  const { model, upstreamId } = known.model || known.upstreamId ? known : copied(told);
  const account = {
    ...known,
    model,
    upstreamId,
    usage: told.usage ?? known.usage,
    reasoned: known.reasoned || told.reasoned,
    pending: hasState ? told.pending : known.pending,
  };
  return told.seconds === undefined ? account : { ...account, seconds: told.seconds };
}

/** Names that are slices would keep the whole piece in memory. */
function copied({ model, upstreamId }: RelayAccount): Pick<RelayAccount, "model" | "upstreamId"> {
  const copy = (text: string | null) => text && Buffer.from(text).toString();
  return { model: copy(model), upstreamId: copy(upstreamId) };
}
