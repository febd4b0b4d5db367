import { data } from "../shared/data.ts";
import { headersWith, Refused, reasonOf } from "../shared/requests.ts";
import { t } from "../shared/texts.ts";
import type { Ending } from "./tree.ts";

export interface Message {
  readonly role: "user" | "assistant";
  readonly content: string;
}

export interface Settings {
  readonly system: string;
  readonly model: string;
  /** Null: as many as the server gives unasked. */
  readonly maxTokens: number | null;
  readonly continuous: boolean;
}

/** A name that was typed or pasted; the server's, if there is none. */
export const modelIn = (typed: string): string => typed.trim() || data.model;

/** The body of a question, as the envelope API reads it. */
export function bodyOf(settings: Settings, history: readonly Message[], question: string) {
  const { system, model, maxTokens } = settings;
  return {
    ...(system.trim() !== "" && { sys_content: system }),
    user_content: question,
    model: modelIn(model),
    ...(maxTokens !== null && { max_tokens: maxTokens }),
    ...(history.length > 0 && { continuous: history }),
  };
}

/** The server takes no call now, but will in so many seconds. */
export class Wait extends Refused {
  readonly seconds: number;
  constructor(words: string, seconds: number) {
    super(429, words);
    this.seconds = seconds;
  }
}

interface Watch {
  readonly credential: string;
  readonly signal: AbortSignal;
  readonly onHeaders: (headers: Headers) => void;
  readonly onText: (text: string) => void;
}

/** Asks, and tells the answer piece by piece. Throws Refused if there is none. */
export async function ask(body: object, watch: Watch): Promise<Ending> {
  const response = await fetch(data.route, {
    method: "POST",
    headers: { ...headersWith(watch.credential), "content-type": "application/json" },
    body: JSON.stringify({ ...body, stream: true }),
    signal: watch.signal,
  }).catch((error: Error) => {
    throw error.name === "AbortError" ? error : new Refused(0, t("offline"));
  });
  watch.onHeaders(response.headers);
  if (!response.ok || response.body === null) throw await refusal(response);
  return readAnswer(response.body, watch).catch((error: Error) => {
    if (error.name === "AbortError" || error instanceof Refused) throw error;
    return "cut" as const;
  });
}

async function refusal(response: Response): Promise<Refused> {
  const words = await reasonOf(response);
  const seconds = Number(response.headers.get("retry-after"));
  return seconds > 0 ? new Wait(words, seconds) : new Refused(response.status, words);
}

async function readAnswer(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  watch: Watch,
): Promise<Ending> {
  let ending: Ending = "cut";
  for await (const text of eventsOf(body)) {
    if (text === "[DONE]") return ending;
    ending = readEvent(JSON.parse(text), watch) ?? ending;
  }
  return "cut";
}

/** The data of each server-sent event. */
async function* eventsOf(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const events = (rest + value).split("\n\n");
    rest = events.pop() ?? "";
    const withData = events.filter((event) => event.startsWith("data:"));
    yield* withData.map((event) => event.replace(/^data: ?/, ""));
  }
}

const ENDINGS: Readonly<Record<string, Ending>> = { length: "long", content_filter: "filtered" };

/** Undefined until the last event, which has the whole. */
function readEvent({ code, data: part }: Envelope, { onText }: Watch): Ending | undefined {
  if (code !== 200) throw new Refused(code, part.response ?? t("failed", { status: code }));
  if (part.delta !== undefined) onText(part.delta);
  if (part.done !== true) return undefined;
  return ENDINGS[part.finish_reason ?? ""] ?? "done";
}

interface Envelope {
  readonly code: number;
  readonly data: {
    readonly delta?: string;
    readonly done?: boolean;
    readonly response?: string;
    readonly finish_reason?: string;
  };
}
