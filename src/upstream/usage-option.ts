import { ProxyError } from "../core/errors.ts";

/** Models that are known to refuse the option; past this many all are learned again. */
const MAX_LEARNED_MODELS = 1_000;
/** Statuses with which services refuse a field that they don't name. */
const REFUSED_FIELD = new Set([400, 422]);
const NAMES_IT = /stream[_ ]?options|include[_ ]?usage/i;
/** Some say so without a name; with one it is another field. */
const NAMES_NOTHING =
  /^(?:(?:extra|additional|unknown|unexpected|unrecognized|unsupported) (?:inputs?|fields?|keys?|property|properties|parameters?|arguments?)(?:(?: (?:is|are|was|were))? not (?:permitted|allowed|supported|recognized))?|extra_forbidden)\.?$/i;

/** Sends with or without `stream_options`, as the model takes it. */
export type SendWithUsage = <T>(
  model: string,
  send: (asksForUsage: boolean) => Promise<T>,
) => Promise<T>;

/**
 * Parley asks for the usage of every stream, and some services refuse what they don't know. Such a
 * model is asked once more without the option; if that helps, the option is left out from then on.
 */
export function createUsageOption(): SendWithUsage {
  const refusing = new Set<string>();
  return async function sendWithUsage(model, send) {
    if (refusing.has(model)) return send(false);
    try {
      return await send(true);
    } catch (error) {
      if (!isAboutOption(error)) throw error;
      const response = await send(false);
      if (refusing.size >= MAX_LEARNED_MODELS) refusing.clear();
      refusing.add(model);
      return response;
    }
  };
}

/** Whether those words refuse `stream_options`, or a field without a name. */
export function refusesUsage(words: string): boolean {
  return NAMES_NOTHING.test(words.trim()) || NAMES_IT.test(words);
}

function isAboutOption(error: unknown): boolean {
  if (!(error instanceof ProxyError) || error.code !== "upstream_refused") return false;
  const reason = String(error.params.reason ?? "");
  if (NAMES_IT.test(`${reason}${error.refusal?.body}`)) return true;
  const mayBeField = REFUSED_FIELD.has(Number(error.details.upstream_status));
  return mayBeField && NAMES_NOTHING.test(reason.trim());
}
