import { request } from "node:http";
import { expect, test } from "vitest";
import { deadline } from "../support/http.ts";
import { startPair } from "../support/pair.ts";
import type { Behaviour } from "../support/upstream.ts";

const MEBIBYTE = 1_048_576;
const ANSWER_BYTES = 15 * MEBIBYTE;
const CLIENTS = 10;
/** With 90 MiB of its own, the process stays well below a container's 512. */
const MOST_RISE_BYTES = 300 * MEBIBYTE;
const SAMPLE_MS = 10;

const block = Buffer.alloc(MEBIBYTE, "a");
const largeAnswer: Behaviour = {
  name: "a completion of 15 MiB",
  run: async ({ response, write }) => {
    response.writeHead(200, { "content-type": "application/json" });
    await write('{"id":"c","object":"chat.completion","model":"m","choices":[{"index":0,');
    await write('"finish_reason":"stop","message":{"role":"assistant","content":"');
    for (let left = ANSWER_BYTES; left > 0; left -= block.length) await write(block);
    response.end('"}}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}');
  },
};

const dialects: readonly (readonly [path: string, copies: number, body: object])[] = [
  ["/chat_complete", 2, { prompt: "a" }],
  ["/", 4, { user_content: "a", system_content: "b" }],
];

test.each(dialects)(
  "large answers of %s stay in their room, %i copies of each text",
  async (...row) => {
    const [path, copies, body] = row;
    const { parley } = await startPair({}, { behaviour: largeAnswer });
    const before = parley.residentBytes();
    let peak = before;
    const timer = setInterval(() => {
      peak = Math.max(peak, parley.residentBytes());
    }, SAMPLE_MS);
    const clients = Array.from({ length: CLIENTS }, (_, at) =>
      bytesOf({ port: parley.port, path, localAddress: `127.0.0.${at + 1}` }, body),
    );
    const sizes = await deadline(Promise.all(clients), 100_000, "all answers");
    clearInterval(timer);
    for (const bytes of sizes) expect(bytes).toBeGreaterThan(copies * ANSWER_BYTES);
    expect(peak - before).toBeLessThan(MOST_RISE_BYTES);
  },
);

interface From {
  readonly port: number;
  readonly path: string;
  readonly localAddress: string;
}

/** How many bytes came; they are not kept. */
function bytesOf(from: From, body: object): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "openai-token": "sk-caller-9876543210" };
    const sent = request({ host: "127.0.0.1", method: "POST", agent: false, headers, ...from });
    sent.on("error", reject).on("response", (response) => {
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
      });
      response.on("error", reject).on("end", () => resolve(bytes));
    });
    sent.end(JSON.stringify(body));
  });
}
