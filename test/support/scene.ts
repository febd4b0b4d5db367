/** An upstream with a Parley in front of it, for as long as the test file runs. */
import { closeAfterFile } from "./cleanup.ts";
import { type ParleyOptions, type RunningParley, startParley } from "./parley.ts";
import { type ScriptedUpstream, startUpstream, type UpstreamOptions } from "./upstream.ts";

export const OPERATOR_KEY = "sk-operator-0123456789";
export const OWN_KEY = "sk-caller-9876543210";

export interface Scene {
  readonly parley: RunningParley;
  readonly upstream: ScriptedUpstream;
  /** Where questions are posted. */
  readonly url: string;
}

export interface SceneOptions extends ParleyOptions, UpstreamOptions {}

/** The operator's key is OPERATOR_KEY, unless the settings say otherwise. */
export async function startScene(
  env: Readonly<Record<string, string>> = {},
  options: SceneOptions = {},
): Promise<Scene> {
  const upstream = closeAfterFile(await startUpstream(options));
  const settings = { OPENAI_URL: upstream.url, API_KEY: OPERATOR_KEY, RETRIES: "0", ...env };
  const parley = closeAfterFile(await startParley(settings, options));
  return { parley, upstream, url: parley.url };
}
