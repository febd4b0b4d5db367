/** An upstream with a Parley in front of it, for as long as the test file runs. */
import { afterAll, vi } from "vitest";
import { type ParleyOptions, type RunningParley, startParley } from "./parley.ts";
import { type ScriptedUpstream, startUpstream, type UpstreamOptions } from "./upstream.ts";

/** Many tests at once on a busy machine; what must be quick has a deadline of its own. */
vi.setConfig({ testTimeout: 20_000 });

export const OPERATOR_KEY = "sk-operator-0123456789";
export const OWN_KEY = "sk-caller-9876543210";

export interface Scene {
  readonly parley: RunningParley;
  readonly upstream: ScriptedUpstream;
  /** Where questions are posted. */
  readonly url: string;
}

export interface SceneOptions extends ParleyOptions, UpstreamOptions {}

/** Tests of a file run side by side, so what they started ends with the file. */
const started: { close(): Promise<void> }[] = [];
afterAll(async () => {
  for (const one of started.toReversed()) await one.close();
});

/** The operator's key is OPERATOR_KEY, unless the settings say otherwise. */
export async function startScene(
  env: Readonly<Record<string, string>> = {},
  options: SceneOptions = {},
): Promise<Scene> {
  const upstream = await startUpstream(options);
  started.push(upstream);
  const settings = { OPENAI_URL: upstream.url, API_KEY: OPERATOR_KEY, RETRIES: "0", ...env };
  const parley = await startParley(settings, options);
  started.push(parley);
  return { parley, upstream, url: parley.url };
}
