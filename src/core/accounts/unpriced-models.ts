import type { CallObserver, Clock } from "../ports.ts";
import { shownModel } from "../shown-model.ts";

const HOUR_MS = 3_600_000;
/** Clients choose the names. */
const MAX_MODELS = 20;

/**
 * Tells the operator once an hour which models were refused for want of a price. Clients that ask for
 * them beside their main model often hide the refusal.
 */
export function createUnpricedModels(
  clock: Pick<Clock, "monotonicMs">,
  onDue: (models: readonly string[]) => void,
): CallObserver {
  const refused = new Set<string>();
  let quietUntilMs = Number.NEGATIVE_INFINITY;
  return ({ error, model }) => {
    if (error !== "model_not_priced") return;
    if (refused.size < MAX_MODELS) refused.add(shownModel(model));
    if (clock.monotonicMs() < quietUntilMs) return;
    quietUntilMs = clock.monotonicMs() + HOUR_MS;
    onDue([...refused]);
    refused.clear();
  };
}
