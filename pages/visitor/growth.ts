import { type Block, blocksFrom } from "./blocks.ts";

/** A text and its blocks, with where each begins. */
export interface ReadText {
  readonly text: string;
  readonly blocks: readonly Block[];
  readonly starts: readonly number[];
}

export const nothingRead: ReadText = { text: "", blocks: [], starts: [] };

/** More text can change the last block, and whether its line belongs to the block before. */
const UNSURE = 2;

/**
 * Reads a text that grew: the blocks before its end are kept as the same objects, so that an answer that
 * arrives in many pieces is not read and drawn anew with each.
 */
export function readMore(before: ReadText, text: string): ReadText {
  if (text === before.text) return before;
  const isGrown = text.startsWith(before.text);
  const sure = isGrown ? Math.max(0, before.blocks.length - UNSURE) : 0;
  const from = sure === 0 ? 0 : (before.starts[sure] ?? 0);
  const found = blocksFrom(text, from);
  return {
    text,
    blocks: [...before.blocks.slice(0, sure), ...found.map(({ block }) => block)],
    starts: [...before.starts.slice(0, sure), ...found.map(({ start }) => start)],
  };
}
