/** The process of `line.ts`: told what to do by messages, it ends with whoever started it. */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

interface Order {
  readonly delayMs?: number;
  readonly target?: number;
  readonly cut?: boolean;
}

let target = Number(process.argv[2]);
let delayMs = 0;
const sockets = new Set<Socket>();

/** What was sent first arrives first, also where the delay has changed meanwhile. */
function pass(from: Socket, to: Socket, delays: boolean): void {
  let after = Promise.resolve();
  from.on("data", (bytes) => {
    const ms = delays ? delayMs : 0;
    const due = ms === 0 ? null : new Promise((resolve) => setTimeout(resolve, ms));
    after = after.then(() => due).then(() => void (to.destroyed || to.write(bytes)));
  });
  from.on("error", () => undefined);
  from.on("close", () => {
    sockets.delete(from);
    to.destroy();
  });
  sockets.add(from);
}

const server = createServer({ noDelay: true }, (client) => {
  const upstream = connect({ port: target, host: "127.0.0.1", noDelay: true });
  pass(client, upstream, true);
  pass(upstream, client, false);
});
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  process.send?.({ port });
});
process.on("message", (order: Order) => {
  delayMs = order.delayMs ?? delayMs;
  target = order.target ?? target;
  if (order.cut === true) for (const socket of sockets) socket.destroy();
});
process.on("disconnect", () => process.exit());
