/** A PostgreSQL server and its standby, from Debian's packages, for failovers. */
import { createPostgresFolder } from "./postgres-node.ts";

interface Node {
  readonly port: number;
  /** As a crash ends it. */
  kill(): Promise<void>;
}

export interface Replicas {
  readonly primary: Node;
  readonly standby: Node & { promote(): Promise<void> };
  close(): Promise<void>;
}

export async function startReplicas(): Promise<Replicas> {
  const folder = createPostgresFolder();
  const start = async (name: string): Promise<Node> => {
    const node = await folder.node(name);
    await node.start();
    return { port: node.port, kill: () => node.end("SIGQUIT") };
  };
  await folder.initialize("primary");
  const primary = await start("primary");
  await folder.run(
    "pg_basebackup",
    ...["-h", "127.0.0.1", "-p", String(primary.port), "-U", "postgres"],
    ...["-D", "standby", "-R", "-c", "fast", "--no-sync"],
  );
  const standby = await start("standby");
  return {
    primary,
    standby: {
      ...standby,
      promote: async () => void (await folder.run("pg_ctl", "promote", "-D", "standby")),
    },
    close: folder.close,
  };
}
