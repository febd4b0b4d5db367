import pg from "pg";
import { isPassing } from "./start-wait.ts";

const CONNECT_TIMEOUT_MS = 1_000;
/** With the meaning that libpq gives sslmode: the driver's own is another one, and it warns. */
const LIBPQ_MEANING = "uselibpqcompat=true";

/**
 * How to connect. `sslmode=prefer` and `allow` leave it to the server whether the connection is
 * encrypted, so for these the server is asked once. Rejects if it has no time for the question.
 */
export async function connectionTo(url: string): Promise<pg.ClientConfig> {
  const text = url
    .replace(/([?&])sslrootcert=system(?=&|$)/, "$1")
    .replace(/([?&]sslmode=)no-verify(?=&|$)/, "$1require")
    // the driver takes every text but 0 for a yes
    .replace(/([?&])ssl=(?:false|no|off)(?=&|$)/i, "$1ssl=0");
  const sslMode = new URL(url).searchParams.get("sslmode");
  const connectionString = `${text}${text.includes("?") ? "&" : "?"}${LIBPQ_MEANING}`;
  const connection = { connectionString, application_name: "parley" };
  if (sslMode !== "prefer" && sslMode !== "allow") return connection;
  const plain = { ...connection, connectionString: withSslMode(connectionString, "disable") };
  const encrypted = {
    ...connection,
    connectionString: withSslMode(connectionString, "require"),
  };
  const [first, second] = sslMode === "prefer" ? [encrypted, plain] : [plain, encrypted];
  return (await connects(first)) ? first : second;
}

function withSslMode(connectionString: string, mode: string): string {
  return connectionString.replace(/([?&]sslmode=)\w+/, `$1${mode}`);
}

async function connects(connection: pg.ClientConfig): Promise<boolean> {
  const client = new pg.Client({ ...connection, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return true;
  } catch (error) {
    if (isPassing(error)) throw error;
    return false;
  } finally {
    await client.end();
  }
}
