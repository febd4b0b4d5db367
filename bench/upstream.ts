// The cheapest OpenAI-compatible upstream that is still honest HTTP: it reads every request to its
// end and answers with prebuilt bytes.
//
//   node bench/upstream.ts <port>
import { createServer, type Socket } from "node:net";
import { createRequestReader, type ReadRequest } from "./request-reader.ts";
import { ANSWER, IDLE_MODEL, REFUSED_MODEL, STREAM_EVENTS, STREAM_GAP_MS } from "./requests.ts";

const [portText = ""] = process.argv.slice(2);

const USAGE = { prompt_tokens: 12, completion_tokens: 16, total_tokens: 28 };
const ID = { id: "chatcmpl-bench", created: 1_760_000_000, model: "gpt-4o-mini-2024-07-18" };

const JSON_ANSWER = answerOf("200 OK", {
  ...ID,
  object: "chat.completion",
  choices: [
    {
      index: 0,
      message: {
        role: "assistant",
        content: ANSWER,
        refusal: null,
      },
      logprobs: null,
      finish_reason: "stop",
    },
  ],
  usage: USAGE,
  service_tier: "default",
  system_fingerprint: "fp_bench",
});
const HEALTHY = answerOf("200 OK", { status: "ok" });
const REFUSED = answerOf("400 Bad Request", {
  error: { message: "not this model", type: "invalid_request_error", param: "model", code: null },
});
const NOT_FOUND = answerOf("404 Not Found", { error: { message: "not found", code: null } });

const STREAM_HEAD = Buffer.from(
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n",
);
const DELTA = chunkOf(eventOf([{ index: 0, delta: { content: " word" }, finish_reason: null }]));
const STREAM_END = Buffer.concat([
  chunkOf(eventOf([{ index: 0, delta: {}, finish_reason: "stop" }])),
  chunkOf(eventOf([], USAGE)),
  chunkOf("data: [DONE]\n\n"),
  Buffer.from("0\r\n\r\n"),
]);

/** The beginning of a stream that never goes on. */
const IDLE_STREAM = Buffer.concat([STREAM_HEAD, DELTA]);

const server = createServer({ noDelay: true }, (socket) => {
  const read = createRequestReader((request) => answer(socket, request));
  socket.on("data", (piece) => {
    try {
      read(typeof piece === "string" ? Buffer.from(piece) : piece);
    } catch {
      socket.destroy();
    }
  });
  socket.on("error", () => socket.destroy());
});
server.listen(Number(portText), "127.0.0.1");

function answer(socket: Socket, { line, body }: ReadRequest): void {
  if (line.startsWith("POST /v1/chat/completions ")) {
    if (body.includes(`"model":"${REFUSED_MODEL}"`)) socket.write(REFUSED);
    else if (body.includes(`"model":"${IDLE_MODEL}"`)) socket.write(IDLE_STREAM);
    else if (wantsStream(body)) startStream(socket);
    else socket.write(JSON_ANSWER);
    return;
  }
  socket.write(line.startsWith("GET /healthz ") ? HEALTHY : NOT_FOUND);
}

// Inside a JSON string the quotes would be escaped, so a prompt cannot look like the field.
function wantsStream(body: Buffer): boolean {
  return body.includes('"stream":true') || body.includes('"stream": true');
}

/** Clients here never pipeline, so nothing else is written to the socket meanwhile. */
function startStream(socket: Socket): void {
  let left = STREAM_EVENTS;
  socket.write(STREAM_HEAD);
  const timer = setInterval(() => {
    if (socket.destroyed) clearInterval(timer);
    else if (left-- > 0) socket.write(DELTA);
    else {
      clearInterval(timer);
      socket.write(STREAM_END);
    }
  }, STREAM_GAP_MS);
}

function answerOf(status: string, value: unknown): Buffer {
  const body = JSON.stringify(value);
  const head = `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`;
  return Buffer.from(`${head}\r\nx-request-id: req_bench\r\n\r\n${body}`);
}

function eventOf(choices: readonly unknown[], usage: typeof USAGE | null = null): string {
  const event = { ...ID, object: "chat.completion.chunk", choices, usage };
  return `data: ${JSON.stringify(event)}\n\n`;
}

function chunkOf(text: string): Buffer {
  return Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
}
