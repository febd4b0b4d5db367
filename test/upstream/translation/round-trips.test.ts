import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toCompletion } from "../../../src/upstream/translation/answer-to-chat.ts";
import { toMessage } from "../../../src/upstream/translation/answer-to-messages.ts";
import { toChatRequest } from "../../../src/upstream/translation/chat-request.ts";
import { Dropped } from "../../../src/upstream/translation/dropped.ts";
import { EventsToChat } from "../../../src/upstream/translation/events-to-chat.ts";
import { EventsToMessages } from "../../../src/upstream/translation/events-to-messages.ts";
import { toMessagesRequest } from "../../../src/upstream/translation/messages-request.ts";
import { gathered } from "./gathered.ts";
import { eventsOf, messages, requests } from "./messages.ts";

describe("what both languages have is the same after both translations", () => {
  test("of a request", () => {
    fc.assert(
      fc.property(requests, (request) => {
        const dropped = new Dropped();
        const chat = toChatRequest({ ...request }, dropped);
        expect(toMessagesRequest(chat, 1, dropped)).toEqual(request);
        expect(dropped.names).toEqual([]);
      }),
    );
  });

  test("of a whole answer", () => {
    fc.assert(
      fc.property(messages, (message) => {
        expect(toMessage(toCompletion(message, 0) ?? {})).toEqual(message);
      }),
    );
  });

  test("of a stream, whose events say what the whole answer says", () => {
    fc.assert(
      fc.property(messages, fc.integer({ min: 1, max: 9 }), (message, piece) => {
        const toChat = new EventsToChat(0, true);
        const toMessages = new EventsToMessages();
        const chunks = eventsOf(message, piece).map((event) => toChat.next(JSON.stringify(event)));
        const events = dataOf(chunks.join("")).map((data) => toMessages.next(data));
        expect(gathered(events.join(""))).toEqual(message);
      }),
    );
  });
});

/** The data of each event; none of ours has more than a line of it. */
function dataOf(text: string): string[] {
  const lines = text.split("\n").filter((line) => line.startsWith("data: "));
  return lines.map((line) => line.slice("data: ".length));
}
