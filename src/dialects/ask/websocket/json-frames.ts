import { z } from "zod";
import { fieldError } from "../../../core/common-errors.ts";
import { ProxyError, toProxyError } from "../../../core/errors.ts";
import { parseJson } from "../../../http/body/body.ts";
import { parsed } from "../../../http/body/parsed.ts";
import type { RequestContext } from "../../../http/call/request-context.ts";
import { httpStatus } from "../../../http/reply/http-status.ts";
import { askFields, parseAsk } from "../wire.ts";
import { type Frames, type FramesOptions, rethrow, tooMany } from "./frames.ts";
import type { Asked, Reply } from "./pending-questions.ts";

export const SUBPROTOCOL = "parley.v1";
/** Questions that a connection may have open at once. */
export const MAX_OPEN_QUESTIONS = 8;
const MAX_ID_CHARACTERS = 100;

const head = z.object({
  type: z.enum(["ask", "cancel"]),
  id: z.string().min(1).max(MAX_ID_CHARACTERS),
});
const askFrame = askFields.extend({ conversation_id: z.string().nullish() });

/** The subprotocol `parley.v1`: several questions at once, told apart by the ids clients give them. */
export function createJsonFrames(options: FramesOptions): Frames {
  const { outbox, begin, rules, onStray, onOver } = options;
  /** By id; a question that was taken back has left, but counts as open until it is over. */
  const waitedFor = new Map<string, Asked>();
  const { failure, replyTo } = createWriting(options, (id) => waitedFor.get(id));
  let open = 0;

  const start = async (asked: Asked, reply: Reply, id: string | null) => {
    open += 1;
    const status = await asked.answer(reply);
    open -= 1;
    if (id !== null && waitedFor.get(id) === asked) waitedFor.delete(id);
    onOver();
    asked.end(status);
  };
  /** Says what is wrong with a frame that began no question. */
  const refuse = (id: string | null, error: ProxyError) => {
    onStray();
    const asked = begin({ bytes: null, read: () => rethrow(error) });
    const fail: Reply["fail"] = (_error, context) => outbox.sendLast(failure(id, error, context));
    void start(asked, { ...nothing, fail }, null);
  };
  const ask = (id: string, json: unknown, bytes: number) => {
    if (waitedFor.has(id)) return refuse(null, idInUse());
    if (open >= MAX_OPEN_QUESTIONS) return refuse(id, tooMany(MAX_OPEN_QUESTIONS));
    const read = () => {
      const { conversation_id } = parsed(askFrame, json);
      return parseAsk(json, conversation_id ?? "new", rules);
    };
    const asked = begin({ bytes, read });
    waitedFor.set(id, asked);
    void start(asked, replyTo(id, asked), id);
  };
  /** The answer to it is at once; what goes on behind it is nobody's business. */
  const cancel = (id: string) => {
    const asked = waitedFor.get(id);
    // it may have ended while this was on its way
    if (asked === undefined) return onStray();
    waitedFor.delete(id);
    asked.cancel();
    void outbox.sendLast(failure(id, new ProxyError("canceled"), asked.context));
  };
  return {
    get open() {
      return open;
    },
    receive: (bytes) => read(bytes, { ask, cancel, refuse }),
    leave() {
      for (const asked of waitedFor.values()) asked.cancel();
    },
  };
}

interface Handlers {
  ask(id: string, json: unknown, bytes: number): void;
  cancel(id: string): void;
  refuse(id: string | null, error: ProxyError): void;
}

function read(bytes: Buffer, { ask, cancel, refuse }: Handlers): void {
  let id: string | null = null;
  try {
    const json = parseJson(bytes);
    id = idOf(json);
    const frame = parsed(head, json);
    if (frame.type === "cancel") cancel(frame.id);
    else ask(frame.id, json, bytes.length);
  } catch (thrown) {
    refuse(id, toProxyError(thrown));
  }
}

/** The frames to the client. `waitedFor` tells which question an id stands for by now. */
function createWriting(
  { outbox, reasonOf }: FramesOptions,
  waitedFor: (id: string) => Asked | undefined,
) {
  const failure = (id: string | null, error: ProxyError, context: RequestContext) => {
    const { code, retryAfterMs } = error;
    const message = reasonOf(error, context);
    const wait = retryAfterMs === undefined ? {} : { retry_after_ms: Math.ceil(retryAfterMs) };
    const about = { code, status: httpStatus[code], message, ...wait };
    return JSON.stringify({ ...error.details, type: "error", id, ...about, ...requestId(context) });
  };
  const replyTo = (id: string, asked: Asked): Reply => ({
    async delta(text) {
      if (waitedFor(id) !== asked) throw new ProxyError("canceled");
      await outbox.send(JSON.stringify({ type: "delta", id, text }));
    },
    async end(turn, context) {
      if (waitedFor(id) !== asked) return;
      await outbox.sendLast(JSON.stringify({ type: "end", id, ...turn, ...requestId(context) }));
    },
    async fail(error, context) {
      if (waitedFor(id) === asked) await outbox.sendLast(failure(id, error, context));
    },
  });
  return { failure, replyTo };
}

/** What a frame that asks nothing is answered with, but for its failure. */
const nothing = { delta: () => Promise.resolve(), end: () => Promise.resolve() };

function requestId({ requestId }: RequestContext) {
  return { request_id: requestId };
}

/** What names the question even where the frame is wrong in something else. */
function idOf(json: unknown): string | null {
  if (typeof json !== "object" || json === null) return null;
  const id: unknown = Reflect.get(json, "id");
  return typeof id === "string" && id.length <= MAX_ID_CHARACTERS ? id : null;
}

/** Without the id: an error that bears one ends the question of that id. */
function idInUse(): ProxyError {
  return fieldError("field_in_use", "id");
}
