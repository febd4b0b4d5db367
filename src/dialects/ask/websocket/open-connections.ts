import type { Clock } from "../../../core/ports.ts";
import type { Connection } from "./connection.ts";

/** For goodbyes to be answered, and then for questions to be written down. */
const FAREWELL_MS = 500;

/** All connections there are; how many, `Places` bounds. */
export interface OpenConnections {
  readonly draining: boolean;
  add(connection: Connection): void;
  drain(): void;
  /** Ends them and resolves when their questions are over. */
  close(): Promise<void>;
}

export function createOpenConnections(clock: Pick<Clock, "sleep">): OpenConnections {
  const connections = new Set<Connection>();
  let draining = false;
  const over = async () => {
    const all = [...connections].map((connection) => connection.over);
    const late = new AbortController();
    await Promise.race([Promise.all(all), clock.sleep(FAREWELL_MS, late.signal)]);
    late.abort();
  };
  const drain = () => {
    draining = true;
    for (const connection of connections) connection.drain();
  };
  return {
    get draining() {
      return draining;
    },
    add(connection) {
      connections.add(connection);
      void connection.over.then(() => connections.delete(connection));
      if (draining) connection.drain();
    },
    drain,
    async close() {
      drain();
      await over();
      for (const connection of connections) connection.terminate();
      await over();
    },
  };
}
