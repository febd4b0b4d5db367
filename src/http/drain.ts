import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import type { OpenCalls } from "./call/open-calls.ts";
import type { ListenerAt } from "./listener.ts";

/** After the streams were told to stop: for their last event to be written. */
export const FAREWELL_MS = 1_000;

/** What the process serves. */
export interface Served {
  readonly server: Server;
  readonly metricsServer: Server | null;
  readonly listeners: readonly ListenerAt[];
  readonly openCalls: OpenCalls;
  drain(): void;
  close(): Promise<void>;
}

/** How the process comes to its end. */
export interface Serving {
  /** No new calls, readiness off. Returns how many are being answered. */
  leaveOff(): number;
  /** What is being answered may end within so long, the rest is cut. Then everything closes. */
  finish(seconds: number): Promise<number>;
}

export function createServing(served: Served): Serving {
  const { openCalls, server, metricsServer, listeners } = served;
  let idle = Promise.resolve();
  return {
    leaveOff() {
      for (const event of ["request", "checkContinue"]) server.prependListener(event, askToLeave);
      const open = openCalls.count;
      idle = openCalls.drain();
      served.drain();
      return open;
    },
    async finish(seconds) {
      await Promise.race([idle, wait(seconds * 1_000)]);
      const cut = openCalls.count;
      openCalls.abortAll();
      if (cut > 0) await Promise.race([idle, wait(FAREWELL_MS)]);
      server.close();
      server.closeAllConnections();
      metricsServer?.close();
      for (const { listener } of listeners) await listener.close();
      await served.close();
      return cut;
    },
  };
}

/** A connection kept would carry the client's next call to a server that is gone: Connection: close. */
function askToLeave(_incoming: IncomingMessage, outgoing: ServerResponse): void {
  outgoing.shouldKeepAlive = false;
}
