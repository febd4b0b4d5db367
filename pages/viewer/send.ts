import { headersWith, reasonOf } from "../shared/requests.ts";
import { t } from "../shared/texts.ts";

/** What has come of a request. */
export interface Reply {
  readonly state: "waiting" | "open" | "done" | "stopped" | "cut" | "failed";
  /** 0: none yet. */
  readonly status: number;
  /** Milliseconds until the headers. */
  readonly waitedMs: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly type: string;
  readonly text: string;
  readonly bytes: number;
  /** Why there is no good answer, in words. */
  readonly reason: string;
  /** From when on the server takes it again, by this device's clock; 0: now. */
  readonly waitUntil: number;
}

export interface Outgoing {
  readonly method: string;
  readonly address: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly credential: string;
  readonly body: string | FormData | null;
}

/** An answer is drawn this often while it comes. */
const DRAW_EACH_MS = 60;
/** What comes after these is counted and not kept. */
export const MAX_SHOWN_CHARACTERS = 200_000;
const SECOND_MS = 1_000;
const TEXT = /^(?:text\/|application\/(?:[\w.+-]*json|x-ndjson|xml|openmetrics-text))/;
/** Response headers that say something about the call. */
const SHOWN = /^(?:content-type|location|retry-after|ratelimit|x-request-id|x-parley-|x-should)/;

export const unanswered: Reply = {
  ...{ state: "waiting", status: 0, waitedMs: 0, headers: [], type: "", text: "", bytes: 0 },
  ...{ reason: "", waitUntil: 0 },
};

/** Sends it and shows what comes, piece by piece. */
export async function send(
  outgoing: Outgoing,
  signal: AbortSignal,
  show: (reply: Reply) => void,
): Promise<void> {
  let reply = unanswered;
  let drawing: ReturnType<typeof setTimeout> | undefined;
  const draw = () => {
    clearTimeout(drawing);
    drawing = undefined;
    show(reply);
  };
  const note = (change: Partial<Reply>) => {
    reply = { ...reply, ...change };
    drawing ??= setTimeout(draw, DRAW_EACH_MS);
  };
  draw();
  try {
    const began = performance.now();
    const response = await fetch(outgoing.address, optionsOf(outgoing, signal));
    note(headOf(response, performance.now() - began));
    for await (const piece of piecesOf(response)) note(added(reply, piece));
    note({ state: "done", ...(response.ok ? {} : await failureOf(response, reply)) });
  } catch (error) {
    note(endOf(error, reply));
  }
  draw();
}

function optionsOf({ method, headers, credential, body }: Outgoing, signal: AbortSignal) {
  const isJson = typeof body === "string";
  const type = isJson ? { "content-type": "application/json" } : {};
  const all = { ...headersWith(credential), ...type, ...headers };
  return { method, headers: all, body, signal };
}

function headOf(response: Response, waitedMs: number): Partial<Reply> {
  const { status, headers } = response;
  return {
    state: "open",
    status,
    waitedMs: Math.round(waitedMs),
    headers: [...headers].filter(([name]) => SHOWN.test(name)),
    type: headers.get("content-type") ?? "",
  };
}

interface Piece {
  readonly text: string;
  readonly bytes: number;
}

async function* piecesOf({ body, headers }: Response): AsyncGenerator<Piece> {
  if (body === null) return;
  const decoder = new TextDecoder();
  const isText = TEXT.test(headers.get("content-type") ?? "");
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const text = isText ? decoder.decode(value, { stream: true }) : "";
    yield { text, bytes: value.length };
  }
}

function added(reply: Reply, { text, bytes }: Piece): Partial<Reply> {
  return {
    text: (reply.text + text).slice(0, MAX_SHOWN_CHARACTERS),
    bytes: reply.bytes + bytes,
  };
}

async function failureOf({ status, headers }: Response, { text }: Reply): Promise<Partial<Reply>> {
  const seconds = Number(headers.get("retry-after"));
  return {
    reason: await reasonOf(new Response(text, { status })),
    waitUntil: seconds > 0 ? Date.now() + seconds * SECOND_MS : 0,
  };
}

function endOf(error: unknown, { status }: Reply): Partial<Reply> {
  if (error instanceof Error && error.name === "AbortError") return { state: "stopped" };
  if (status !== 0) return { state: "cut", reason: t("viewer.cut") };
  // fetch refuses headers and methods by itself, and says which
  const isOurs = error instanceof TypeError && /header|method|name|value/i.test(error.message);
  return { state: "failed", reason: isOurs ? error.message : t("offline") };
}

/** JSON with line breaks, if nothing of it changes. */
export function laidOut(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    return JSON.stringify(value) === text ? JSON.stringify(value, null, 2) : text;
  } catch {
    return text;
  }
}
