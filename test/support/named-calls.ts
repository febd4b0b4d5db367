/** Calls that may be repeated, on two copies that share a store. */
import { closeAfterFile } from "./cleanup.ts";
import { startCopies } from "./copies.ts";
import { postJson, type Reply } from "./http.ts";
import type { ParleyProcess } from "./process.ts";
import { startRedis } from "./redis.ts";
import type { ScriptedUpstream, UpstreamOptions } from "./upstream.ts";

export interface TwoCopies {
  readonly first: ParleyProcess;
  readonly second: ParleyProcess;
  readonly upstream: ScriptedUpstream;
}

/** For tests with the tag "redis"; until the file ends. */
export async function startTwoCopies(options: UpstreamOptions): Promise<TwoCopies> {
  const redis = closeAfterFile(await startRedis());
  const { copies, upstream } = await startCopies({
    ...options,
    count: 2,
    env: { REDIS_URL: redis.url },
  });
  const [first, second] = copies;
  if (first === undefined || second === undefined) throw new Error("two copies were to start");
  return { first, second, upstream };
}

/** Asks on a caller's own key under an Idempotency-Key. */
export function askNamed({ url }: ParleyProcess, name: string): Promise<Reply> {
  const body = { model: "gpt-4o-mini", messages: [{ role: "user", content: "Hello?" }] };
  const headers = { authorization: "Bearer sk-own-0123456789", "idempotency-key": name };
  return postJson(`${url}/v1/chat/completions`, body, { headers });
}
