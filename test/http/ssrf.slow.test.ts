/** No route fetches an address that a client names, however it is spelled. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, test } from "vitest";
import { closeAfterFile } from "../support/cleanup.ts";
import { postJson } from "../support/http.ts";
import { OWN_KEY, startScene } from "../support/scene.ts";

const ADMIN_TOKEN = "admin-0123456789-0123456789";

/** Spellings of this machine. */
const hosts = [
  ...["127.0.0.1", "127.1", "0x7f.1", "0x7f000001", "2130706433", "017700000001", "0.0.0.0", "0"],
  ...["localhost", "localhost.", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[64:ff9b::127.0.0.1]"],
  ...["api.openai.com@127.0.0.1", "127.0.0.1%23.example.org"],
];

/** Names under which some gateway reads where to call, in bodies and in headers. */
const FIELDS = [
  ...["base_url", "baseURL", "api_base", "endpoint", "url", "host", "target", "proxy", "webhook"],
  ...["callback_url", "image_url", "input_audio", "file_url", "server_url", "metadata"],
];
const HEADERS = [
  ...[
    "x-base-url",
    "x-api-base",
    "x-target-url",
    "x-forwarded-host",
    "x-original-url",
    "forwarded",
  ],
  ...[
    "x-rewrite-url",
    "custom-host",
    "x-portkey-custom-host",
    "openai-base-url",
    "referer",
    "origin",
  ],
];

/** Bodies that hold the address wherever some route might look. */
function bodiesWith(example: unknown, address: string): unknown[] {
  if (example === undefined) return [undefined];
  const body = Object(example);
  const picture = [{ type: "image_url", image_url: { url: address } }];
  const named = Object.fromEntries(FIELDS.map((name) => [name, address]));
  return [
    { ...body, ...named, messages: [{ role: "user", content: picture }] },
    { ...body, url: address },
    { ...body, ...("content" in body && { content: picture }) },
  ];
}

async function startCanary() {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  server.listen(0);
  await once(server, "listening");
  closeAfterFile({ close: () => void server.close() });
  const { port } = server.address() as AddressInfo; // it listens on a port
  return { port, count: () => connections };
}

test("no route connects to an address in a body, a header, a query or a path", async () => {
  const canary = await startCanary();
  const { parley } = await startScene({ ROUTE: "api", ADMIN_TOKEN });
  const all = parley.parley.dialects.flatMap((dialect) => dialect.routes);
  const withBody = all.filter(({ doc }) => doc?.example !== undefined);
  let cases = 0;
  for (const host of hosts) {
    const address = `https://${host}:${canary.port}/latest/meta-data`;
    const plain = Object.fromEntries(HEADERS.map((name) => [name, address.replace("s:", ":")]));
    const inPath = encodeURIComponent(address);
    for (const { method, path, doc } of host === hosts[0] ? all : withBody) {
      const url = `${parley.origin}${path.replaceAll(/:\w+(\{[^}]*\})?/g, inPath)}?url=${inPath}`;
      const credential = /admin|^\/system/.test(path) ? ADMIN_TOKEN : OWN_KEY;
      const headers = { ...plain, authorization: `Bearer ${credential}` };
      const bodies = bodiesWith(doc?.example, address);
      await Promise.all(bodies.map((body) => postJson(url, body, { method, headers })));
      cases += bodies.length;
    }
  }
  expect(cases).toBeGreaterThan(300);
  expect(canary.count()).toBe(0);
});
