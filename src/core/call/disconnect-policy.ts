import { ProxyError } from "../errors.ts";
import type { Clock } from "../ports.ts";
import { type CallSignal, LightSignal } from "./call.ts";

/** What happens to the upstream when the client leaves: closed at once, or read for a while. */
export interface DisconnectPolicy {
  /** 0: closed at once. */
  readonly drainMs: number;
  /** The signal for the upstream, derived from the client's. */
  signalFor(client: CallSignal): CallSignal;
  /** Ends all draining: the process stops. */
  end(): void;
}

export function createDisconnectPolicy(drainMs: number, clock: Clock): DisconnectPolicy {
  const stop = new LightSignal();
  return {
    drainMs,
    signalFor(client) {
      // a client that left before the upstream was asked leaves nothing to read
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
