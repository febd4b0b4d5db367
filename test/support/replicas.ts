/** A PostgreSQL server and its standby, from Debian's packages, for failovers. */
import { createPostgresFolder, type PostgresNode } from "./postgres-node.ts";

export interface Replicas {
  readonly primary: PostgresNode;
  readonly standby: PostgresNode & { promote(): Promise<void> };
  close(): Promise<void>;
}

/** Both run; what the primary has committed arrives at the standby a moment later. */
export async function startReplicas(): Promise<Replicas> {
  const folder = createPostgresFolder();
  await folder.initialize("primary");
  const primary = await folder.node("primary");
  await primary.start();
  await folder.run(
    "pg_basebackup",
    ...["-h", "127.0.0.1", "-p", String(primary.port), "-U", "postgres"],
    ...["-D", "standby", "-R", "-c", "fast", "--no-sync"],
  );
  const standby = await folder.node("standby");
  await standby.start();
  const promote = async () => void (await folder.run("pg_ctl", "promote", "-D", "standby"));
  return { primary, standby: { ...standby, promote }, close: folder.close };
}
