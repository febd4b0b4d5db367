/** Two processes of one installation, with a store between them and one upstream behind. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closeAfterFile } from "./cleanup.ts";
import { postJson, type Reply } from "./http.ts";
import { type ParleyProcess, startProcess } from "./process.ts";
import { startRedis } from "./redis.ts";
import { type ScriptedUpstream, startUpstream, type UpstreamOptions } from "./upstream.ts";

export interface Copies {
  readonly first: ParleyProcess;
  readonly second: ParleyProcess;
  readonly upstream: ScriptedUpstream;
}

/** For tests with the tag "redis"; until the file ends. */
export async function startCopies(options: UpstreamOptions = {}): Promise<Copies> {
  const folder = mkdtempSync(join(tmpdir(), "parley-copies-"));
  closeAfterFile({ close: () => rmSync(folder, { recursive: true, force: true }) });
  const redis = closeAfterFile(await startRedis());
  const upstream = closeAfterFile(await startUpstream(options));
  const env = { DATA_DIR: folder, REDIS_URL: redis.url, OPENAI_URL: upstream.url };
  // one after the other: the first creates the database
  const first = closeAfterFile(await startProcess(env));
  const second = closeAfterFile(await startProcess(env));
  return { first, second, upstream };
}

/** Asks on a caller's own key under an Idempotency-Key. */
export function askNamed({ url }: ParleyProcess, name: string): Promise<Reply> {
  const body = { model: "gpt-4o-mini", messages: [{ role: "user", content: "Hello?" }] };
  const headers = { authorization: "Bearer sk-own-0123456789", "idempotency-key": name };
  return postJson(`${url}/v1/chat/completions`, body, { headers });
}
