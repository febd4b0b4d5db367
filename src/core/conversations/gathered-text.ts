/** Pieces are joined in groups of this many: a piece that `+=` keeps apart costs 30 extra bytes. */
const PIECES_JOINED = 256;

/** Collects the pieces of an answer. */
export interface GatheredText {
  add(piece: string): void;
  whole(): string;
}

export function createGatheredText(): GatheredText {
  const groups: string[] = [];
  let pieces: string[] = [];
  return {
    add(piece) {
      pieces.push(piece);
      if (pieces.length < PIECES_JOINED) return;
      groups.push(pieces.join(""));
      pieces = [];
    },
    whole: () => [...groups, ...pieces].join(""),
  };
}
