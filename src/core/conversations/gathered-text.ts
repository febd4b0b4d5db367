/** Short pieces are joined in groups: while `+=` holds them apart, each costs 30 bytes beside its text. */
const PIECES_JOINED = 256;

/** The pieces of an answer, added up. */
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
