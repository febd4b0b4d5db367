import { z } from "zod";
import { saidInMessage } from "../../core/call/said.ts";
import { ProxyError } from "../../core/errors.ts";
import { withExactNumbers } from "../../core/exact-numbers.ts";
import type { WholeAnswer } from "../../core/upstream-ports.ts";
import { wellFormedJson } from "../../core/well-formed.ts";
import { jsonWithRepeated } from "../../http/reply/repeated-text.ts";
import type { WholeDeltas } from "./whole-deltas.ts";

/** What Parley needs of a completion; every other field passes through. */
export const upstreamCompletion = z.looseObject({
  choices: z.array(z.looseObject({ message: z.looseObject({}) })).min(1),
});

/** The completion with `text` and `status`. Throws `upstream_bad_answer` for anything else. */
export function writeCompletion({ bytes }: Pick<WholeAnswer, "bytes">): string | readonly Buffer[] {
  const { exact, choices } = readCompletion(bytes);
  const text = saidInMessage(choices[0]?.message);
  return jsonWithRepeated({ ...exact, text, status: "ok" }, text);
}

/** A whole answer to a request for a stream, as its only chunk. */
export function writeWholeAsChunk({ bytes }: Pick<WholeAnswer, "bytes">): string {
  const { exact, choices } = readCompletion(bytes);
  const deltas = choices.map(({ message, ...choice }) => ({ ...choice, delta: message }));
  const chunk = { ...exact, object: "chat.completion.chunk", choices: deltas };
  return withText(chunk, choices[0]?.message);
}

/** An event of a stream; throws the error that it reports. */
export function writeChunk(data: string, deltas: WholeDeltas): string {
  const chunk = objectIn(data);
  const failure: unknown = Reflect.get(chunk, "error");
  if (failure !== undefined && failure !== null) throw new ProxyError("upstream_failed");
  const exact = withExactNumbers(chunk, data);
  deltas.mend(exact);
  return withText(exact, firstDelta(exact));
}

/** `message` is a whole one or a delta. */
function withText(body: object, message: unknown): string {
  return wellFormedJson({ ...body, text: saidInMessage(message), status: "ok" });
}

function readCompletion(bytes: Uint8Array) {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  const exact = withExactNumbers(objectIn(text), text);
  const read = upstreamCompletion.safeParse(exact);
  if (!read.success) throw new ProxyError("upstream_bad_answer");
  return { exact, choices: read.data.choices };
}

function objectIn(text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ProxyError("upstream_bad_answer", { cause });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new ProxyError("upstream_bad_answer");
}

/** With several choices, `text` follows the first. */
function firstDelta(chunk: object): unknown {
  const choices: unknown = Reflect.get(chunk, "choices");
  if (!Array.isArray(choices)) return undefined;
  const first: unknown = choices.find((choice: unknown) => (fieldOf(choice, "index") ?? 0) === 0);
  return fieldOf(first, "delta");
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
