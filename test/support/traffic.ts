/** Calls at an even pace from many addresses, whatever becomes of them. */
import { Agent, request } from "node:http";
import { deadline } from "./http.ts";

export interface TrafficOptions {
  /** Where they are posted, in turn. */
  readonly urls: readonly string[];
  readonly perSecond: number;
  /** The client's address of the next call. */
  readonly address: () => string;
  /** GET, without a body. */
  readonly gets?: boolean;
}

export interface CallSeen {
  readonly address: string;
  /** By performance.now(). */
  readonly sentMs: number;
  readonly tookMs: number;
  /** 0 if there was no response. */
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly text: string;
}

export interface Traffic {
  /** Those that have ended. */
  readonly calls: readonly CallSeen[];
  /** Sends no more, and resolves when all have ended. */
  stop(): Promise<void>;
}

const TICK_MS = 10;
const END_MS = 10_000;
const QUESTION = JSON.stringify({ user_content: "hello" });

export function startTraffic(options: TrafficOptions): Traffic {
  const { urls, perSecond, address, gets = false } = options;
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const calls: CallSeen[] = [];
  const startedMs = performance.now();
  let sent = 0;
  let open = 0;
  const ended = Promise.withResolvers<void>();
  let stopping = false;

  const send = async () => {
    const url = urls[sent % urls.length] ?? "";
    sent += 1;
    open += 1;
    calls.push(await ask(url, address(), agent, gets ? null : QUESTION));
    open -= 1;
    if (stopping && open === 0) ended.resolve();
  };
  const timer = setInterval(() => {
    const due = ((performance.now() - startedMs) * perSecond) / 1_000;
    // a machine that was asleep does not make up for it
    for (let burst = 0; sent < due && burst < 100; burst += 1) void send();
  }, TICK_MS);
  return {
    calls,
    stop: async () => {
      clearInterval(timer);
      stopping = true;
      if (open === 0) ended.resolve();
      await deadline(ended.promise, END_MS, "all calls have ended");
      agent.destroy();
    },
  };
}

/** So many calls at once from one address; resolves with all of them. */
export async function burst(
  urls: readonly string[],
  address: string,
  count: number,
): Promise<readonly CallSeen[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const asked = Array.from({ length: count }, (_, turn) =>
    ask(urls[turn % urls.length] ?? "", address, agent, QUESTION),
  );
  return Promise.all(asked).finally(() => agent.destroy());
}

export function admitted(calls: readonly CallSeen[], address?: string): number {
  return calls.filter((call) => call.status === 200 && (address ?? call.address) === call.address)
    .length;
}

function ask(url: string, address: string, agent: Agent, body: string | null): Promise<CallSeen> {
  const sentMs = performance.now();
  return new Promise((resolve) => {
    const end = (status: number, text: string, retryAfter?: string) =>
      resolve({ address, sentMs, tookMs: performance.now() - sentMs, status, text, retryAfter });
    const described = { "content-type": "application/json", "content-length": body?.length };
    const headers = { ...(body === null ? {} : described), "x-forwarded-for": address };
    const sent = request(url, { method: body === null ? "GET" : "POST", agent, headers });
    sent.on("error", (error) => end(0, error.message));
    sent.on("response", (response) => {
      const { statusCode = 0 } = response;
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      response.on("error", (error) => end(0, error.message));
      response.on("end", () => end(statusCode, text, response.headers["retry-after"]));
    });
    sent.end(body);
  });
}
