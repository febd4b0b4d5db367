import type { RelayAnswer, WholeAnswer } from "../../core/ports.ts";

/** A relayed answer as a whole: joins the pieces if the upstream streamed it. */
export async function collect(answer: RelayAnswer): Promise<Omit<WholeAnswer, "kind" | "account">> {
  if (answer.kind === "whole") return answer;
  const parts: Uint8Array[] = [];
  for await (const { bytes } of answer.pieces) parts.push(bytes);
  const { status, contentType } = answer;
  return { status, contentType, bytes: Buffer.concat(parts) };
}
