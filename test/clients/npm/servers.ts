/** Parley in front of a service of either kind, whose models work as an agent's. */
import { setPrice, startTokenScene, type TokenScene } from "../../dialects/openai/support.ts";
import { anthropicAgent } from "./agent-messages.ts";
import { openAiAgent } from "./agent-service.ts";
import { CLAUDE, MODEL, type Server, SMALL_CLAUDE, SMALL_MODEL } from "./settings.ts";

export type Kind = "openai" | "anthropic";

export interface AgentScene extends TokenScene {
  readonly server: Server;
}

/** A token, and prices for what the clients ask. */
export async function startAgentScene(kind: Kind): Promise<AgentScene> {
  const behaviour = kind === "openai" ? openAiAgent : anthropicAgent;
  const scene = await startTokenScene({ OPENAI_KIND: kind }, { behaviour });
  const { origin } = scene.parley;
  for (const model of [MODEL, SMALL_MODEL, CLAUDE, SMALL_CLAUDE]) await setPrice(origin, model);
  return { ...scene, server: { origin, token: scene.token } };
}
