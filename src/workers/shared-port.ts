import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { platform } from "node:os";

/**
 * Makes sure that nobody else listens there, before workers share the port. The system lets any
 * process of the same user share it, so an ordinary listener is opened first, which it lets nobody
 * share; and until `listen` has the port, a name that only one process can hold keeps another
 * Parley from doing the same in between. Of port 0 the system gives a free one by itself.
 */
export async function listenFirst(
  host: string,
  port: number,
  listen: () => Promise<number>,
): Promise<number> {
  if (port === 0) return listen();
  const guard = platform() === "linux" ? await hold({ path: `\0parley ${host} ${port}` }) : null;
  try {
    const alone = await hold({ host, port });
    await release(alone);
    return await listen();
  } finally {
    if (guard !== null) await release(guard);
  }
}

async function hold(where: { path: string } | { host: string; port: number }): Promise<Server> {
  const server = createServer();
  server.listen(where);
  await once(server, "listening");
  return server;
}

async function release(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  await closed;
}
