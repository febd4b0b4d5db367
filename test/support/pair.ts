import { closeAfterFile } from "./cleanup.ts";
import {
  type Environment,
  type ParleyProcess,
  type ProcessOptions,
  startProcess,
} from "./process.ts";
import { type ScriptedUpstream, startUpstream, type UpstreamOptions } from "./upstream.ts";

export interface Pair {
  readonly parley: ParleyProcess;
  readonly upstream: ScriptedUpstream;
}

/** A scripted upstream with a process of Parley in front of it, until the test file ends. */
export async function startPair(
  env: Environment = {},
  options: ProcessOptions & UpstreamOptions = {},
): Promise<Pair> {
  const upstream = closeAfterFile(await startUpstream(options));
  const settings = { OPENAI_URL: upstream.url, API_KEY: "sk-good", ...env };
  return { upstream, parley: closeAfterFile(await startProcess(settings, options)) };
}
