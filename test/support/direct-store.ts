/** A store without deadlines, for walks that a busy machine may not disturb. */
import type { Link } from "../../src/limits/shared/connection.ts";
import { connect } from "../../src/limits/shared/connection.ts";
import { createKey, type SharedStore } from "../../src/limits/shared/store.ts";
import { startRedis } from "./redis.ts";

export interface DirectStore {
  readonly store: SharedStore;
  readonly connection: Link;
  readonly port: number;
  close(): Promise<void>;
}

/** On a server of its own. */
export async function openDirectStore(): Promise<DirectStore> {
  const server = await startRedis();
  const connection = await connectTo(server.port);
  return {
    store: directStore(connection),
    connection,
    port: server.port,
    close: async () => {
      connection.close();
      await server.close();
    },
  };
}

export function connectTo(port: number): Promise<Link> {
  const target = { host: "127.0.0.1", port, tls: false };
  const address = { target, username: null, password: null, db: 0, ca: null };
  return connect(address, () => undefined);
}

export function directStore(connection: Link): SharedStore {
  return {
    run: (script, keys, args) => connection.run(script, keys, args),
    key: createKey("parley:test:"),
    isAway: () => false,
    onReturn: () => undefined,
    copies: () => 1,
  };
}
