import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import type { OpenCalls } from "./call/open-calls.ts";
import type { ListenerAt } from "./listener.ts";

/** Time for aborted streams to write their last event. */
const LAST_EVENT_MS = 300;

/** What the process serves. */
export interface Served {
  readonly server: Server;
  readonly metricsServer: Server | null;
  readonly listeners: readonly ListenerAt[];
  readonly openCalls: OpenCalls;
  drain(): void;
  close(): Promise<void>;
}

/** How the process stops serving. */
export interface Shutdown {
  /** Takes no new calls and turns readiness off. Returns the number of open calls. */
  begin(): number;
  /** Gives open calls this long, cuts the rest and closes everything. Resolves with the number cut. */
  finish(seconds: number): Promise<number>;
}

export function createShutdown(served: Served): Shutdown {
  const { openCalls, server, metricsServer, listeners } = served;
  let idle = Promise.resolve();
  return {
    begin() {
      for (const event of ["request", "checkContinue"]) {
        server.prependListener(event, closeAfterResponse);
      }
      const open = openCalls.count;
      idle = openCalls.drain();
      served.drain();
      return open;
    },
    async finish(seconds) {
      await Promise.race([idle, wait(seconds * 1_000)]);
      const cut = openCalls.count;
      openCalls.abortAll();
      if (cut > 0) await Promise.race([idle, wait(LAST_EVENT_MS)]);
      server.close();
      server.closeAllConnections();
      metricsServer?.close();
      for (const { listener } of listeners) await listener.close();
      await served.close();
      return cut;
    },
  };
}

/** Sends `Connection: close`: the client's next call must not come to a server that is gone. */
function closeAfterResponse(_incoming: IncomingMessage, outgoing: ServerResponse): void {
  outgoing.shouldKeepAlive = false;
}
