/** Clients and services may write anything where a translation looks. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ProxyError } from "../../../src/core/errors.ts";
import {
  answersToChat,
  answersToMessages,
  modelsToChat,
  modelsToMessages,
} from "../../../src/upstream/translation/answers.ts";
import { toChatRequest } from "../../../src/upstream/translation/chat-request.ts";
import { estimatedTokens } from "../../../src/upstream/translation/count-tokens.ts";
import { Dropped } from "../../../src/upstream/translation/dropped.ts";
import { toMessagesRequest } from "../../../src/upstream/translation/messages-request.ts";

const NAMES = `id type role model name content text system messages message choices delta index
  finish_reason stop_reason usage tool_calls tools tool_choice function arguments input input_schema
  source data media_type url image_url file file_data title thinking budget_tokens output_config effort
  format schema response_format reasoning_effort stop stop_sequences content_block partial_json
  tool_use_id tool_call_id error refusal created created_at input_tokens output_tokens`.split(
  /\s+/,
);
const WORDS =
  `user assistant system tool developer text image document tool_use tool_result thinking
  function auto any none base64 enabled json_schema message message_start content_block_start
  content_block_delta message_delta message_stop text_delta input_json_delta error gpt-5 claude-sonnet-4-5
  data:image/png;base64,AA== https://a.test {"a":1}`.split(/\s+/);

const { any } = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    fc.constantFrom(...WORDS),
    fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.constant(null)),
    fc.array(tie("any"), { maxLength: 4 }),
    fc.dictionary(
      fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...NAMES) }, fc.string()),
      tie("any"),
      {
        maxKeys: 6,
        noNullPrototype: true,
      },
    ),
  ),
}));
const fields = fc.dictionary(fc.constantFrom(...NAMES), any, { noNullPrototype: true });

/** Returns what comes of it; an error must be one of our own. */
function outcomeOf<T>(run: () => T): T | ProxyError {
  try {
    return run();
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(ProxyError);
    return thrown as ProxyError;
  }
}

describe("whatever is written,", () => {
  test("a request is translated, or refused by the name of a field", () => {
    fc.assert(
      fc.property(fields, (request) => {
        const all = [
          outcomeOf(() => toChatRequest(request, new Dropped())),
          outcomeOf(() => toMessagesRequest(request, 9, new Dropped())),
        ];
        for (const one of all) {
          if (one instanceof ProxyError) expect(one.code).toBe("field_unsupported");
          else expect(() => JSON.stringify(one)).not.toThrow();
        }
        expect(estimatedTokens(request)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 500 },
    );
  });

  test("an answer is translated, passes as an error, or is a bad one", () => {
    const translations = [
      answersToMessages,
      answersToChat(0, true),
      modelsToChat,
      modelsToMessages,
    ];
    fc.assert(
      fc.property(any, (answer) => {
        for (const { whole } of translations) {
          const said = outcomeOf(() => whole(Buffer.from(JSON.stringify(answer))));
          if (said instanceof ProxyError) expect(said.code).toBe("upstream_bad_answer");
          else expect(() => JSON.parse(said.toString())).not.toThrow();
        }
      }),
      { numRuns: 500 },
    );
  });

  test("events are translated, or end the stream", () => {
    fc.assert(
      fc.property(fc.array(fields, { maxLength: 8 }), (events) => {
        for (const translation of [answersToMessages, answersToChat(0, true)]) {
          const stream = translation.events();
          outcomeOf(() => {
            const text = events.map((event) => stream.next(JSON.stringify(event))).join("");
            for (const block of (text + stream.end()).split("\n\n")) {
              expect(block).toMatch(/^(|: ping|(event: \w+\n)?data: [^\n]+)$/);
            }
          });
        }
      }),
      { numRuns: 500 },
    );
  });
});
