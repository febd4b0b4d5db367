import { createHmac } from "node:crypto";

/** The headers of Standard Webhooks, by which a receiver knows who has sent a body, and when. */
export function signedHeaders(secret: Uint8Array, id: string, body: string, nowMs: number) {
  const timestamp = String(Math.floor(nowMs / 1_000));
  const signature = createHmac("sha256", secret)
    .update(`${id}.${timestamp}.${body}`)
    .digest("base64");
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${signature}`,
  };
}
