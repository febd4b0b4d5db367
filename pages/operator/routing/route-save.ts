import { t } from "../../shared/texts.ts";
import { ask, Denied } from "../api.ts";
import { isUnreadable, type Route, routePath, routeText, type Stages } from "./routing.ts";

/**
 * Saves a route, which replaces the stored one as a whole: one that somebody else has changed since it was
 * `seen` is shown first, and is the one that was seen then.
 */
export async function saveRoute(
  given: string,
  stages: Stages,
  seen: { current: string | null },
): Promise<void> {
  const model = given.trim();
  if (isUnreadable(stages)) throw new Denied(400, t("operator.routing.unreadable"), "to");
  if (model === "") throw new Denied(400, t("operator.routing.no_model"), "model");
  const stored = await storedText(model);
  if (stored !== seen.current) {
    seen.current = stored;
    throw new Denied(409, t("operator.routing.changed", { to: stored ?? "–" }), "to");
  }
  await ask("PUT", routePath(model), { to: routeText(stages) });
}

/** Null: there is none. */
async function storedText(model: string): Promise<string | null> {
  try {
    return (await ask<Route>("GET", routePath(model))).to;
  } catch (error) {
    if (error instanceof Denied && error.status === 404) return null;
    throw error;
  }
}
