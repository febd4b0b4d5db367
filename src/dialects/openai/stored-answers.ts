import type {
  PassingAnswer,
  RelayAnswer,
  RelayPiece,
  StreamedAnswer,
} from "../../core/upstream-ports.ts";

/** Learns the id of an answer before its client can. */
export type OnId = (id: string) => Promise<void>;

/** The same answer; nothing of one that passes leaves before its id is learned. */
export async function withIdLearned(answer: RelayAnswer, onId: OnId): Promise<RelayAnswer> {
  // the hook for whole answers has learned it beside the ledger
  if (answer.kind === "whole") return answer;
  const { upstreamId } = answer.account();
  if (upstreamId === null) return { ...answer, pieces: new LearningPieces(answer, onId) };
  await onId(upstreamId);
  return answer;
}

/** For an answer that begins without its id, such as with a comment. */
class LearningPieces implements AsyncIterableIterator<RelayPiece, undefined> {
  readonly #pieces: AsyncIterator<RelayPiece, undefined>;
  readonly #answer: StreamedAnswer | PassingAnswer;
  #onId: OnId | null;

  constructor(answer: StreamedAnswer | PassingAnswer, onId: OnId) {
    this.#pieces = answer.pieces[Symbol.asyncIterator]();
    this.#answer = answer;
    this.#onId = onId;
  }

  async next(): Promise<IteratorResult<RelayPiece, undefined>> {
    const next = await this.#pieces.next();
    const { upstreamId } = this.#answer.account();
    if (this.#onId === null || upstreamId === null) return next;
    const onId = this.#onId;
    this.#onId = null;
    await onId(upstreamId);
    return next;
  }

  async return(): Promise<IteratorResult<RelayPiece, undefined>> {
    await this.#pieces.return?.();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
