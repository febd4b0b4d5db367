/** An upstream with a Parley in front of it, both ended when the test ends. */
import { onTestFinished } from "vitest";
import { type ParleyOptions, type RunningParley, startParley } from "./parley.ts";
import { type ScriptedUpstream, startUpstream, type UpstreamOptions } from "./upstream.ts";

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
  atEnd: (close: () => Promise<void>) => void = onTestFinished,
): Promise<Scene> {
  const upstream = await startUpstream(options);
  atEnd(() => upstream.close());
  const settings = { OPENAI_URL: upstream.url, API_KEY: OPERATOR_KEY, RETRIES: "0", ...env };
  const parley = await startParley(settings, options);
  atEnd(() => parley.close());
  return { parley, upstream, url: parley.url };
}

export const OPERATOR_KEY = "sk-operator-0123456789";
export const OWN_KEY = "sk-caller-9876543210";
