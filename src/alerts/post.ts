import { Agent, request } from "undici";
import { signedHeaders } from "./sign.ts";

export interface PostOptions {
  readonly url: URL;
  readonly secret: Uint8Array;
  readonly userAgent: string;
  readonly wallMs: () => number;
}

/** Sends a webhook; resolves with the status, or throws if there is none in time. */
export interface Post {
  send(id: string, body: string): Promise<number>;
  /** Ends what is under way. */
  close(): Promise<void>;
}

/** For the whole exchange. Receivers are to answer first and work later. */
const DEADLINE_MS = 10_000;
const CONNECT_MS = 5_000;
/** Of an answer, which is not read for anything. */
const MAX_ANSWER_BYTES = 65_536;
/** Of webhooks that are sent at once. */
const CONNECTIONS = 4;

/** The only way out for webhooks, to one URL. Redirects are not followed. */
export function createPost({ url, secret, userAgent, wallMs }: PostOptions): Post {
  const dispatcher = new Agent({
    connections: CONNECTIONS,
    connectTimeout: CONNECT_MS,
    maxResponseSize: MAX_ANSWER_BYTES,
    allowH2: false,
  });
  return {
    async send(id, body) {
      const { statusCode, body: answer } = await request(url, {
        dispatcher,
        method: "POST",
        headers: {
          "content-type": "application/json",
          "user-agent": userAgent,
          ...signedHeaders(secret, id, body, wallMs()),
        },
        body,
        signal: AbortSignal.timeout(DEADLINE_MS),
      });
      // its status is all that counts, however its body ends
      await answer.dump({ limit: MAX_ANSWER_BYTES }).catch(() => undefined);
      return statusCode;
    },
    close: () => dispatcher.destroy(),
  };
}
