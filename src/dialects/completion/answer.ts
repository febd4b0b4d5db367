import { z } from "zod";
import { ProxyError } from "../../core/errors.ts";
import type { WholeAnswer } from "../../core/ports.ts";
import { withExactNumbers } from "../../http/body/exact-numbers.ts";

const marks = { text: z.string(), status: z.literal("ok") };

/** The upstream's object as it is, with two fields more. */
export const completionAnswer = z.looseObject({
  choices: z.array(z.looseObject({ message: z.looseObject({}) })).min(1),
  ...marks,
});

/** Of a stream: the upstream's chunks. */
export const completionEvent = z.looseObject({
  choices: z.array(z.looseObject({ delta: z.looseObject({}) })),
  ...marks,
});

const completion = completionAnswer.omit({ text: true, status: true });

/** The body of a good answer. Whatever is no completion is a bad answer. */
export function writeCompletion({ bytes }: Pick<WholeAnswer, "bytes">): string {
  const { exact, choices } = readCompletion(bytes);
  return JSON.stringify({ ...exact, text: textOf(choices[0]?.message), status: "ok" });
}

/** A whole answer where a stream was asked for, as the one chunk it amounts to. */
export function writeWholeAsChunk({ bytes }: Pick<WholeAnswer, "bytes">): string {
  const { exact, choices } = readCompletion(bytes);
  const deltas = choices.map(({ message, ...choice }) => ({ ...choice, delta: message }));
  const chunk = { ...exact, object: "chat.completion.chunk", choices: deltas };
  return JSON.stringify({ ...chunk, text: textOf(choices[0]?.message), status: "ok" });
}

/** An event of a stream; throws what it says went wrong. */
export function writeChunk(data: string): string {
  const chunk = objectIn(data);
  const failure: unknown = Reflect.get(chunk, "error");
  if (failure !== undefined && failure !== null) throw new ProxyError("upstream_failed");
  return JSON.stringify({
    ...withExactNumbers(chunk, data),
    text: textOf(firstDelta(chunk)),
    status: "ok",
  });
}

function readCompletion(bytes: Uint8Array) {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  const exact = withExactNumbers(objectIn(text), text);
  const read = completion.safeParse(exact);
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

/** Of several answers to one question the first is the one that `text` follows. */
function firstDelta(chunk: object): unknown {
  const choices: unknown = Reflect.get(chunk, "choices");
  if (!Array.isArray(choices)) return undefined;
  const first: unknown = choices.find((choice: unknown) => (fieldOf(choice, "index") ?? 0) === 0);
  return fieldOf(first, "delta");
}

/** What was said, or why nothing was. */
function textOf(said: unknown): string {
  for (const name of ["content", "refusal"]) {
    const text = fieldOf(said, name);
    if (typeof text === "string" && text !== "") return text;
  }
  return "";
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
