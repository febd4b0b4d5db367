/** A proxy between a browser and Parley, for what only the way between them can do. */
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import { closeAfterFile } from "./cleanup.ts";

/** What becomes of an answer. `answer` has its status, headers and body. */
export type PassPage = (answer: IncomingMessage, response: ServerResponse) => void;

export interface PageProxy {
  readonly origin: string;
  /** Drops every connection; new ones are refused. */
  close(): Promise<void>;
}

/** `pathOf`: where a path leads; the same, unless given. */
export async function startPageProxy(
  port: number,
  pass: PassPage,
  pathOf = (path: string) => path,
): Promise<PageProxy> {
  const server = createServer((incoming, response) => {
    const { method, headers, url = "" } = incoming;
    const sent = request({ host: "127.0.0.1", port, method, headers, path: pathOf(url) });
    sent.on("response", (answer) => pass(answer, response));
    sent.on("error", () => response.destroy());
    response.on("close", () => sent.destroy());
    incoming.pipe(sent);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const proxy = closeAfterFile({
    close: async () => {
      server.close();
      server.closeAllConnections();
    },
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");
  return { ...proxy, origin: `http://127.0.0.1:${address.port}` };
}

export const passOn: PassPage = (answer, response) => {
  response.writeHead(answer.statusCode ?? 500, answer.headers);
  answer.pipe(response);
};

const isEvents = ({ headers }: IncomingMessage) =>
  headers["content-type"]?.startsWith("text/event-stream") === true;

/** An answer in events ends after the first, without a word. */
export const cutAfterOneEvent: PassPage = (answer, response) => {
  if (!isEvents(answer)) {
    passOn(answer, response);
    return;
  }
  response.writeHead(answer.statusCode ?? 500, answer.headers);
  answer.once("data", (bytes: Buffer) => {
    const [first = ""] = String(bytes).split("\n\n");
    response.end(`${first}\n\n`);
    answer.destroy();
  });
};

/** Nothing leaves before all has arrived. */
export const buffered: PassPage = (answer, response) => {
  const parts: Buffer[] = [];
  answer.on("data", (bytes: Buffer) => parts.push(bytes));
  answer.on("end", () => {
    response.writeHead(answer.statusCode ?? 500, answer.headers).end(Buffer.concat(parts));
  });
};

const PREFIX = "/ai";

/** The address of a proxy that takes a path away, with the path. */
export async function startPrefixProxy(port: number, pass: PassPage = passOn): Promise<string> {
  const { origin } = await startPageProxy(port, pass, (path) =>
    path.startsWith(`${PREFIX}/`) ? path.slice(PREFIX.length) : "/outside",
  );
  return origin + PREFIX;
}
