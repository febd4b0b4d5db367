/** What the operator of the demo's server has set up, some weeks ago. */
import type { Admin } from "../../../src/admin/operations.ts";
import { AWAY, claudeModels, openAiModels, USUAL_MODEL } from "../models.ts";
import type { DemoServices } from "../upstream/services.ts";
import { groups, people } from "./people.ts";

/** Not in the list of prices that Parley ships. Dollars per million tokens. */
const claudePrices = [
  { model: claudeModels[0], input: "3", cached_input: "0.3", output: "15" },
  { model: claudeModels[1], input: "1", cached_input: "0.1", output: "5" },
] as const;

/** Higher than anything that is used: lowered once it is known what was used. */
const NO_BOUND = "100000";
const BETWEEN_TOKENS_MS = 46 * 3_600_000;
const KEY = "demo-key-of-a-stand-in";

type Services = Pick<DemoServices, "anthropicUrl" | "brokenUrl">;

/** By the name of its holder. */
export type Secrets = ReadonlyMap<string, { readonly id: string; readonly secret: string }>;

/** `later`: sets the time on by so many milliseconds. */
export async function setUp(
  admin: Admin,
  services: Services,
  later: (ms: number) => void,
): Promise<Secrets> {
  await admin.prices.importShipped();
  for (const price of claudePrices) await admin.prices.set(price);
  await addRouting(admin, services);
  for (const group of Object.values(groups)) {
    await admin.groups.create({ ...group, money_per_month: NO_BOUND });
  }
  const secrets = new Map<string, { id: string; secret: string }>();
  for (const { name, fields } of people) {
    later(BETWEEN_TOKENS_MS);
    const made = await admin.tokens.create({ name, ...fields });
    if ("token" in made) secrets.set(name, { id: made.id, secret: made.token });
  }
  return secrets;
}

/** Two services beside that of the settings, one of which is down, and three routes. */
async function addRouting({ upstreams, routes }: Admin, services: Services): Promise<void> {
  await upstreams.add({
    name: "anthropic",
    kind: "anthropic",
    url: services.anthropicUrl,
    models: [...claudeModels],
    keys: [KEY],
  });
  await upstreams.add({
    name: AWAY,
    url: services.brokenUrl,
    models: [USUAL_MODEL],
    keys: [KEY],
    concurrency: 50,
  });
  await routes.set(USUAL_MODEL, { to: `${AWAY}:${USUAL_MODEL}; default:${USUAL_MODEL}` });
  await routes.set("smart", { to: `default:gpt-5.6@2, anthropic:${claudeModels[0]}@1` });
  await routes.set(claudeModels[0], {
    to: `anthropic:${claudeModels[0]}; default:${openAiModels[2]}`,
  });
}
