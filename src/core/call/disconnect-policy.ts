import { ProxyError } from "../errors.ts";
import type { Clock } from "../ports.ts";
import { type CallSignal, LightSignal } from "./call.ts";

/** How long the upstream is read on for a client that has left; 0 = it is closed at once. */
export interface DisconnectPolicy {
  readonly drainMs: number;
  /** The signal an upstream is asked with, made from the client's. */
  signalFor(client: CallSignal): CallSignal;
  /** Ends all waiting: the process stops. */
  end(): void;
}

export function createDisconnectPolicy(drainMs: number, clock: Clock): DisconnectPolicy {
  const stop = new LightSignal();
  return {
    drainMs,
    signalFor(client) {
      // who has left before anything was asked leaves nothing to read on
      if (drainMs === 0 || client.aborted) return client;
      const signal = new LightSignal();
      const leave = async () => {
        const ended: unknown = client.reason;
        if (!(ended instanceof ProxyError)) await clock.sleep(drainMs, stop);
        signal.abort(ended instanceof ProxyError ? ended : undefined);
      };
      client.addEventListener("abort", () => void leave(), { once: true });
      return signal;
    },
    end() {
      stop.abort();
    },
  };
}
