import type { Server } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import type { OpenCalls } from "./call/open-calls.ts";
import type { ListenerAt } from "./listener.ts";
import type { HttpServer } from "./server.ts";

/** For calls that were on their way when the port was closed. */
const LAST_CALLS_MS = 500;
/** Time for aborted streams to write their last event. */
const LAST_EVENT_MS = 300;

/** What the process serves. */
export interface Served {
  readonly server: HttpServer;
  readonly metricsServer: Server | null;
  readonly listeners: readonly ListenerAt[];
  readonly openCalls: OpenCalls;
  drain(): void;
  close(): Promise<void>;
}

/** How the process stops serving, in order. */
export interface Shutdown {
  /** Turns readiness off and asks clients to leave. Calls are still taken. */
  retire(): void;
  /**
   * Takes calls for so long, until proxies have noticed; then closes the ports and takes what is on its
   * way. A proxy that never asks for readiness is refused, and may send the call to another instance.
   */
  leave(seconds: number): Promise<void>;
  /** Takes no new calls. Returns the number of open calls. */
  begin(): number;
  /** Gives open calls this long, cuts the rest and closes everything. Resolves with the number cut. */
  finish(seconds: number): Promise<number>;
}

export function createShutdown(served: Served): Shutdown {
  const { openCalls, server, metricsServer, listeners } = served;
  let idle = Promise.resolve();
  return {
    retire() {
      openCalls.retire();
      server.retire();
      for (const { listener } of listeners) listener.retire();
    },
    async leave(seconds) {
      await wait(seconds * 1_000);
      const closing = listeners.map(({ listener }) => listener.closePort());
      await Promise.all([server.closePort(), ...closing]);
      await wait(LAST_CALLS_MS);
    },
    begin() {
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
