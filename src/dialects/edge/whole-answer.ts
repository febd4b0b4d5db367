import type { RelayAnswer } from "../../core/ports.ts";

export interface WholeAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

/** An answer that isn't a stream comes as one piece; one that should not have been is joined. */
export async function collect({ status, contentType, pieces }: RelayAnswer): Promise<WholeAnswer> {
  const all: Uint8Array[] = [];
  for await (const { bytes } of pieces) all.push(bytes);
  const [only] = all;
  return { status, contentType, bytes: all.length === 1 && only ? only : Buffer.concat(all) };
}
