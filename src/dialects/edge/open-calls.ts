import { ProxyError } from "../../core/errors.ts";

/** Every call that is being answered, so that the process can end without cutting one off. */
export interface OpenCalls {
  readonly count: number;
  readonly draining: boolean;
  /**
   * Opens a call for the life of `owner` (a response, a socket). The signal aborts when the client
   * leaves, or with `draining` when time is up. Throws `draining` when no new call is taken.
   */
  enter(owner: object): AbortSignal;
  leave(owner: object, clientLeft: boolean): void;
  /** From now on no call is taken; resolves when none is open. */
  drain(): Promise<void>;
  abortAll(): void;
}

/** How long a client told that we are stopping should wait: about a restart. */
const RETRY_DRAINING_MS = 5_000;

export function createOpenCalls(): OpenCalls {
  const controllers = new Map<object, AbortController>();
  let draining = false;
  let onIdle: (() => void) | null = null;

  return {
    get count() {
      return controllers.size;
    },
    get draining() {
      return draining;
    },
    enter(owner) {
      if (draining) throw drainingError();
      const controller = new AbortController();
      controllers.set(owner, controller);
      return controller.signal;
    },
    leave(owner, clientLeft) {
      const controller = controllers.get(owner);
      if (controller === undefined) return;
      controllers.delete(owner);
      if (clientLeft) controller.abort();
      if (controllers.size === 0) onIdle?.();
    },
    drain() {
      draining = true;
      if (controllers.size === 0) return Promise.resolve();
      return new Promise((resolve) => {
        onIdle = resolve;
      });
    },
    abortAll() {
      for (const controller of controllers.values()) controller.abort(drainingError());
    },
  };
}

function drainingError(): ProxyError {
  return new ProxyError("draining", { retryAfterMs: RETRY_DRAINING_MS });
}
