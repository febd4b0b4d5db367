// The practical limit of a gateway in Node: node:http in, undici out, bodies streamed both ways,
// nothing looked at. Every other candidate is measured against it.
//
//   node bench/bare-forwarder.ts <port> <origin of the upstream>
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { Pool } from "undici";

const [portText = "", upstreamOrigin = ""] = process.argv.slice(2);
const pool = new Pool(upstreamOrigin);

// They belong to one connection, not to the message (RFC 9110, 7.6.1); undici writes its own.
const HOP_HEADERS = ["connection", "host", "keep-alive", "transfer-encoding"];

const server = createServer((incoming, outgoing) => {
  forward(incoming, outgoing).catch(() => {
    if (outgoing.headersSent) outgoing.destroy();
    else outgoing.writeHead(502).end();
  });
});
server.listen(Number(portText), "127.0.0.1");
// An end of its own making, which is when Node keeps what it has compiled.
process.once("SIGTERM", () => process.exit());

async function forward(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const method = incoming.method ?? "GET";
  const { statusCode, headers, body } = await pool.request({
    path: incoming.url ?? "/",
    method,
    headers: endToEnd(incoming.headers),
    body: method === "GET" ? null : incoming,
  });
  outgoing.writeHead(statusCode, endToEnd(headers));
  body.on("error", () => outgoing.destroy());
  outgoing.on("close", () => body.destroy());
  body.pipe(outgoing);
}

function endToEnd(headers: IncomingMessage["headers"]): IncomingMessage["headers"] {
  const kept = { ...headers };
  for (const name of HOP_HEADERS) delete kept[name];
  return kept;
}
