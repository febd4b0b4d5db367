/** Clients that ask without a pause until they are stopped, over every transport. */
import { Agent, type IncomingMessage, request } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { credentials } from "@grpc/grpc-js";
import { createGrpcClient } from "../grpc.ts";
import { openStream } from "../http.ts";
import { connect, type WebSocketClient } from "../websocket.ts";
import { answerTo, type Kind, type Tally } from "./tally.ts";

export interface LoadOptions {
  readonly tally: Tally;
  /** Where HTTP and WebSocket clients go. */
  readonly origin: string;
  /** Addresses of gRPC, for clients that know several. */
  readonly grpcTarget: string;
  /** Short calls over HTTP; they begin at these times, whatever becomes of those before. */
  readonly callsPerSecond: number;
  /** Streamed answers that are open all the time. */
  readonly streams: number;
  readonly webSockets: number;
  /** Half of them choose an instance for each call. */
  readonly grpcClients: number;
}

export interface Load {
  /** Asks nothing more. Resolves when all answers have come. */
  stop(): Promise<void>;
}

const TICK_MS = 10;
/** Clients over one connection wait so long between two questions. */
const THINK_MS = 20;
const BETWEEN_STARTS_MS = 40;

export function startLoad(options: LoadOptions): Load {
  const { tally } = options;
  let stopped = false;
  const ask = async (kind: Kind, one: (prompt: string) => Promise<string>) => {
    const prompt = tally.begin(kind);
    try {
      tally.answered(prompt, await one(prompt));
    } catch (error) {
      tally.failed(prompt, error instanceof Error ? error.message : String(error));
    }
  };
  let workersBegun = 0;
  const repeat = async (kind: Kind, one: (prompt: string) => Promise<string>, thinkMs: number) => {
    // the first calls of a process are slow: many of them at once would be late for its database
    workersBegun += 1;
    await pause(workersBegun * BETWEEN_STARTS_MS);
    while (!stopped) {
      await ask(kind, one);
      await pause(thinkMs);
    }
  };
  const agent = new Agent({ keepAlive: true, maxSockets: 128 });
  const call = (prompt: string) => callOnce(options.origin, agent, prompt);
  const open = new Set<Promise<void>>();
  const startedMs = performance.now();
  let begun = 0;
  const timer = setInterval(() => {
    const due = ((performance.now() - startedMs) * options.callsPerSecond) / 1_000;
    for (; begun < due; begun += 1) {
      const asked = ask("call", call);
      open.add(asked);
      void asked.then(() => open.delete(asked));
    }
  }, TICK_MS);

  const many = <T>(count: number, one: (at: number) => T) =>
    Array.from({ length: count }, (_, at) => one(at));
  const sockets = many(options.webSockets, () => createAsker(options.origin));
  const grpc = many(options.grpcClients, (at) => createGrpc(options.grpcTarget, at % 2 === 0));
  const workers = [
    ...many(options.streams, () =>
      repeat("stream", (prompt) => streamOnce(options.origin, prompt), 0),
    ),
    ...sockets.map(({ ask }) => repeat("websocket", ask, THINK_MS)),
    ...grpc.map(({ ask }) => repeat("grpc", ask, THINK_MS)),
  ];
  return {
    async stop() {
      stopped = true;
      clearInterval(timer);
      await Promise.all([...workers, ...open]);
      for (const one of [...sockets, ...grpc]) one.close();
      agent.destroy();
    },
  };
}

/** Over a kept connection. Never sent a second time. */
async function callOnce(origin: string, agent: Agent, prompt: string): Promise<string> {
  const body = JSON.stringify({ user_content: prompt });
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": body.length };
    const sent = request(origin, { method: "POST", agent, headers }, resolve);
    sent.on("error", reject);
    sent.end(body);
  });
  const text = (await response.setEncoding("utf8").toArray()).join("");
  const { statusCode, headers } = response;
  if (statusCode !== 200) throw new Error(`${statusCode} ${text.slice(0, 200)}`);
  const { data } = JSON.parse(text) as { data: { response: string } };
  if (data.response !== answerTo(prompt)) throw new Error(`another answer: ${text}`);
  return String(headers["x-request-id"]);
}

async function streamOnce(origin: string, prompt: string): Promise<string> {
  const body = { user_content: prompt, stream: true };
  const { status, headers, events } = await openStream(origin, body);
  const all = await Array.fromAsync(events);
  if (status !== 200) throw new Error(`${status}`);
  if (all.pop() !== "[DONE]") throw new Error("truncated");
  const { data } = JSON.parse(all.pop() ?? "") as { data: { response: string } };
  if (data.response !== answerTo(prompt)) throw new Error(`another answer: ${data.response}`);
  return String(headers["x-request-id"]);
}

interface Asker {
  ask(prompt: string): Promise<string>;
  close(): void;
}

/** Connects again after 1012, and asks again what was not answered. */
function createAsker(origin: string): Asker {
  let client: WebSocketClient | null = null;
  const ask = async (prompt: string): Promise<string> => {
    try {
      client ??= await connect(`${origin}/ask`, { protocol: "parley.v1" });
      return await askOver(client, prompt);
    } catch (error) {
      client = null;
      if (!String(error).includes("closed with 1012")) throw error;
      return ask(prompt);
    }
  };
  return { ask, close: () => client?.ws.terminate() };
}

async function askOver(client: WebSocketClient, prompt: string): Promise<string> {
  client.send({ type: "ask", id: prompt, prompt });
  let text = "";
  let frame = await client.nextJson();
  for (; frame.type === "delta"; frame = await client.nextJson()) text += String(frame.text);
  if (frame.type === "error") throw new Error(JSON.stringify(frame));
  if (text !== answerTo(prompt)) throw new Error(`another answer: ${text}`);
  return String(frame.request_id);
}

/** Clients that choose an instance for each call ask an absent one again every second. */
function createGrpc(target: string, balanced: boolean): Asker {
  const config = JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] });
  const often = { "grpc.service_config": config, "grpc.max_reconnect_backoff_ms": 1_000 };
  const client = createGrpcClient(target, credentials.createInsecure(), {
    "grpc.initial_reconnect_backoff_ms": 1_000, // the library's own
    ...(balanced ? often : {}),
  });
  return {
    async ask(prompt) {
      const { text, initial } = await client.ask({
        prompt,
        conversation_id: "new",
        parent_id: "new",
      });
      if (text !== answerTo(prompt)) throw new Error(`another answer: ${text}`);
      return String(initial.get("x-request-id")[0]);
    },
    close: client.close,
  };
}
