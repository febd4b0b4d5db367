/** A call as `GET /admin/calls` lists it: never content, never a key. */
export interface ListedCall {
  readonly id: string;
  readonly time: string;
  readonly request_id: string | null;
  readonly payer: string;
  readonly token: string | null;
  readonly token_name: string | null;
  readonly dialect: string;
  readonly model: string;
  readonly answered_by: string | null;
  readonly upstream: string | null;
  readonly tries: number | null;
  readonly prompt_tokens: number | null;
  readonly completion_tokens: number | null;
  readonly total_tokens: number | null;
  readonly cost: string | null;
  readonly outcome: string;
  readonly error: string | null;
  readonly first_token_ms: number | null;
  readonly duration_ms: number | null;
}

export interface CallsPage {
  readonly calls: readonly ListedCall[];
  readonly next_cursor: string | null;
  /** Asks for what came after this answer. */
  readonly newest: string;
}
