/** Both kinds of service behind Parley, and the official client of Anthropic's API before it. */
import Anthropic from "@anthropic-ai/sdk";
import { anthropicAnswer } from "../../support/anthropic.ts";
import type { SceneOptions } from "../../support/scene.ts";
import { startTokenScene, type TokenScene } from "../openai/support.ts";

export const CLAUDE = "claude-sonnet-5";

/** A service that is asked in the language of the client. */
export function startNative(
  env: Readonly<Record<string, string>> = {},
  options: SceneOptions = {},
): Promise<TokenScene> {
  const settings = { OPENAI_KIND: "anthropic", ...env };
  return startTokenScene(settings, { behaviour: anthropicAnswer, ...options });
}

export function createClient({ parley }: TokenScene, apiKey: string): Anthropic {
  return new Anthropic({ baseURL: parley.origin, apiKey, maxRetries: 0 });
}
