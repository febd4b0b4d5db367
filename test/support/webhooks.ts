/** A receiver of webhooks that checks their signatures by itself, and does what it is told. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

const KEY = Buffer.from("0123456789abcdef0123456789abcdef");
export const ALERT_SECRET = `whsec_${KEY.toString("base64")}`;

export interface Webhook {
  readonly id: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** As it came, headers too. */
  readonly raw: string;
}

export interface Receiver {
  readonly url: string;
  /** Those with a right signature, in their order. */
  readonly received: readonly Webhook[];
  /** Deliveries with a wrong one. */
  readonly forged: number;
  /** What becomes of the next deliveries. */
  respond: (response: ServerResponse) => void;
  close(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const received: Webhook[] = [];
  let forged = 0;
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const {
      "webhook-id": id,
      "webhook-timestamp": at,
      "webhook-signature": signature,
    } = request.headers;
    const digest = createHmac("sha256", KEY).update(`${id}.${at}.${body}`).digest("base64");
    const isRight =
      typeof signature === "string" &&
      signature.length === digest.length + 3 &&
      timingSafeEqual(Buffer.from(signature), Buffer.from(`v1,${digest}`)) &&
      Math.abs(Number(at) - Date.now() / 1_000) < 60;
    if (!isRight) forged += 1;
    else {
      const { type, data } = JSON.parse(body);
      const raw = `${request.url} ${JSON.stringify(request.headers)} ${body}`;
      received.push({ id: String(id), type, data, raw });
    }
    receiver.respond(response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const receiver: Receiver = {
    url: `http://127.0.0.1:${port}/hooks?of=parley`,
    received,
    get forged() {
      return forged;
    },
    respond: (response) => response.writeHead(204).end(),
    async close() {
      server.close();
      server.closeAllConnections();
    },
  };
  return receiver;
}
