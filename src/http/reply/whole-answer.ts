import type { RelayAnswer, WholeAnswer } from "../../core/ports.ts";

/** What should not have been a stream, but came as one, is joined. */
export async function collect(answer: RelayAnswer): Promise<Omit<WholeAnswer, "kind" | "account">> {
  if (answer.kind === "whole") return answer;
  const all: Uint8Array[] = [];
  for await (const { bytes } of answer.pieces) all.push(bytes);
  const { status, contentType } = answer;
  return { status, contentType, bytes: Buffer.concat(all) };
}
