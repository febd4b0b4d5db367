/** Loopback proxies that carry what they are given and remember who asked them for what. */
import { once } from "node:events";
import {
  createServer as createHttpServer,
  type IncomingMessage,
  request,
  type ServerResponse,
} from "node:http";
import {
  type AddressInfo,
  createConnection,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from "node:net";

export interface LoopbackProxy {
  readonly port: number;
  /** The targets that were asked for, `host:port`, oldest first; refused ones too. */
  readonly targets: readonly string[];
  close(): Promise<void>;
}

export interface ProxyLogin {
  readonly username: string;
  readonly password: string;
}

/** Forwards absolute-form requests and opens tunnels; with a login, refuses all others with 407. */
export async function startHttpProxy(login?: ProxyLogin): Promise<LoopbackProxy> {
  const targets: string[] = [];
  const expected =
    login === undefined
      ? undefined
      : `Basic ${Buffer.from(`${login.username}:${login.password}`).toString("base64")}`;
  const isWelcome = ({ headers }: IncomingMessage) =>
    expected === undefined || headers["proxy-authorization"] === expected;

  const server = createHttpServer((incoming, outgoing) => {
    const url = URL.parse(incoming.url ?? "");
    targets.push(url?.host ?? "");
    if (url === null || !isWelcome(incoming))
      return void outgoing.writeHead(407).end("who are you");
    forward(incoming, outgoing, url);
  });
  server.on("connect", (incoming: IncomingMessage, client: Socket) => {
    const target = incoming.url ?? "";
    targets.push(target);
    client.on("error", () => undefined);
    if (!isWelcome(incoming)) {
      client.end("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n");
      return;
    }
    const [host = "", port = ""] = target.split(":");
    const far = createConnection({ host, port: Number(port) });
    far.once("connect", () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      join(client, far);
    });
    far.on("error", () => client.destroy());
  });
  return listen(server, targets);
}

/** SOCKS version 5, CONNECT only (RFC 1928); with a login, only with that one (RFC 1929). */
export async function startSocksProxy(login?: ProxyLogin): Promise<LoopbackProxy> {
  const targets: string[] = [];
  const server = createTcpServer((client) => {
    client.on("error", () => undefined);
    serveSocks(client, login, targets).catch(() => client.destroy());
  });
  return listen(server, targets);
}

const socksVersion = 5;
const noLogin = 0;
const withLogin = 2;
const noneAcceptable = 0xff;
const domainName = 3;
const refused = 5;

type Take = (bytes: number) => Promise<Buffer>;

async function serveSocks(
  client: Socket,
  login: ProxyLogin | undefined,
  targets: string[],
): Promise<void> {
  const take = createReader(client);
  if (!(await admit(client, take, login))) return void client.end();
  const [, , , kind] = await take(4);
  const host = kind === domainName ? await takeText(take) : [...(await take(4))].join(".");
  const port = (await take(2)).readUInt16BE();
  targets.push(`${host}:${port}`);
  const far = createConnection({ host, port });
  const reached = await Promise.race([
    once(far, "connect").then(() => true),
    once(far, "error").then(() => false),
  ]);
  client.write(Uint8Array.of(socksVersion, reached ? 0 : refused, 0, 1, 0, 0, 0, 0, 0, 0));
  if (reached) join(client, far);
  else client.end();
}

/** Agrees on a method and, where a login is wanted, on that. */
async function admit(client: Socket, take: Take, login: ProxyLogin | undefined): Promise<boolean> {
  const [, methodCount = 0] = await take(2);
  const offered = [...(await take(methodCount))];
  const method = login === undefined ? noLogin : withLogin;
  const agreed = offered.includes(method);
  client.write(Uint8Array.of(socksVersion, agreed ? method : noneAcceptable));
  if (!agreed || login === undefined) return agreed;
  await take(1);
  const username = await takeText(take);
  const password = await takeText(take);
  const right = username === login.username && password === login.password;
  client.write(Uint8Array.of(1, right ? 0 : 1));
  return right;
}

/** A text behind its length in one byte. */
async function takeText(take: Take): Promise<string> {
  const [length = 0] = await take(1);
  return (await take(length)).toString();
}

/** Hands out bytes as they are asked for; after the last one was taken, the socket is free again. */
function createReader(socket: Socket): Take {
  return async (bytes) => {
    if (bytes === 0) return Buffer.alloc(0);
    for (;;) {
      const taken: Buffer | null = socket.read(bytes);
      if (taken !== null) return taken;
      if (socket.destroyed || socket.readableEnded) throw new Error("the client left");
      await once(socket, "readable");
    }
  };
}

function forward(incoming: IncomingMessage, outgoing: ServerResponse, url: URL): void {
  const { "proxy-authorization": _, "proxy-connection": __, ...headers } = incoming.headers;
  const sent = request(url, { method: incoming.method, headers, agent: false });
  sent.on("response", (response) => {
    outgoing.writeHead(response.statusCode ?? 502, response.headers);
    response.pipe(outgoing);
    response.on("error", () => outgoing.destroy());
  });
  sent.on("error", () => outgoing.destroy());
  outgoing.on("close", () => sent.destroy());
  incoming.pipe(sent);
}

function join(one: Socket, other: Socket): void {
  one.pipe(other);
  other.pipe(one);
  for (const [near, far] of [
    [one, other],
    [other, one],
  ] as const) {
    near.on("error", () => far.destroy());
    near.on("close", () => far.destroy());
  }
}

async function listen(server: Server, targets: readonly string[]): Promise<LoopbackProxy> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port, // a TCP server's address is never text
    targets,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
