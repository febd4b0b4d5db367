import type { Turn, TurnEvent } from "../../core/conversations/dialogue.ts";

/** A turn as a stream of texts: pieces as `{"delta"}`, then the whole with `"done": true`. */
export async function* writeTurnEvents(
  events: AsyncIterable<TurnEvent>,
  writeTurn: (turn: Turn) => object,
): AsyncGenerator<string> {
  for await (const event of events) {
    if (event.type === "text-delta") yield JSON.stringify({ delta: event.text });
    if (event.type === "turn-end") yield JSON.stringify({ ...writeTurn(event.turn), done: true });
  }
}
