import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { BenchRequest } from "./requests.ts";

export interface IdleStreams {
  /** Opens so many more and resolves when each has brought its first event. */
  readonly open: (count: number) => Promise<void>;
  readonly close: () => void;
}

/** So many at once: a listener's queue holds 511. */
const BATCH = 100;
const FIRST_EVENT_MS = 20_000;

/** Streams that have begun and then wait, over plain sockets, so that thousands cost little here. */
export function createIdleStreams(origin: string, request: BenchRequest): IdleStreams {
  const sockets: Socket[] = [];
  const { hostname, port } = new URL(origin);
  const message = messageOf(hostname, request);

  return {
    async open(count) {
      for (let left = count; left > 0; left -= BATCH) {
        const batch = Array.from({ length: Math.min(BATCH, left) }, () =>
          openOne(Number(port), hostname, message),
        );
        sockets.push(...(await Promise.all(batch)));
      }
    },
    close() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

function messageOf(host: string, { path, headers, body }: BenchRequest): string {
  const length = { host, "content-length": String(Buffer.byteLength(body)) };
  const lines = Object.entries({ ...headers, ...length }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  return `POST ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n${body}`;
}

async function openOne(port: number, host: string, message: string): Promise<Socket> {
  const socket = connect({ port, host });
  const signal = AbortSignal.timeout(FIRST_EVENT_MS);
  await once(socket, "connect", { signal });
  socket.write(message);
  let text = "";
  while (!text.includes("data: {")) text += String((await once(socket, "data", { signal }))[0]);
  if (!text.startsWith("HTTP/1.1 200 "))
    throw new Error(`a stream began with ${text.slice(0, 80)}`);
  // What comes later, such as signs of life, is read and forgotten.
  socket.on("data", () => undefined).on("error", () => undefined);
  return socket;
}
