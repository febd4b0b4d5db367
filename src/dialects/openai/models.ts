import type { PriceBook } from "../../core/accounts/accounts.ts";
import type { Principal } from "../../core/call/call.ts";
import { ProxyError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import { shownModel } from "../../core/shown-model.ts";
import type { RelayRequest } from "../../core/upstream-ports.ts";
import { type ModelRules, mayHaveModel } from "../../http/body/model-choice.ts";
import { restOf } from "./paths.ts";

export const modelsRequest: RelayRequest = {
  method: "GET",
  path: "/models",
  body: null,
  streamed: false,
  hideUsage: false,
};

const ONE_MODEL = "/v1/models/";

/** The model that a path names, and the request for it. Throws if it can't be an id. */
export function askedModel(path: string): { readonly id: string; readonly request: RelayRequest } {
  const given = path.slice(ONE_MODEL.length);
  const rest = restOf(given);
  if (rest === null) throw modelNotFound(given);
  const request = { ...modelsRequest, path: `/models/${rest.spelled}`, mayPass: true };
  return { id: rest.text, request };
}

export function modelNotFound(id: string): ProxyError {
  const params = { model: shownModel(id) };
  return new ProxyError("model_not_found", { params, details: { field: "model" } });
}

/** Whether a principal may use a model. */
export type ModelFilter = (principal: Principal, model: string) => Promise<boolean>;

/** The same conditions as for a call: the token or the operator allows the model, and it has a price. */
export function createModelFilter(prices: PriceBook, clock: Clock, rules: ModelRules): ModelFilter {
  return async (principal, model) => {
    if (principal.kind !== "token") return true;
    const { models } = principal.found.token;
    if (models !== null && !models.includes(model)) return false;
    if (!mayHaveModel(principal, model, rules)) return false;
    return (await prices.priceOf(model, clock.wallMs())) !== null;
  };
}

/** The upstream's list, for a token without the models it may not use. */
export async function writeModels(
  bytes: Uint8Array,
  principal: Principal,
  mayUse: ModelFilter,
): Promise<Uint8Array | string> {
  if (principal.kind !== "token") return bytes;
  const list = parseList(bytes);
  const data: unknown[] = [];
  for (const model of list.data) {
    const id: unknown = typeof model === "object" && model !== null && Reflect.get(model, "id");
    if (typeof id === "string" && (await mayUse(principal, id))) data.push(model);
  }
  return JSON.stringify({ ...list, data });
}

function parseList(bytes: Uint8Array): { data: readonly unknown[] } {
  try {
    const list: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"));
    if (typeof list === "object" && list !== null && "data" in list && Array.isArray(list.data)) {
      return { ...list, data: list.data };
    }
  } catch (cause) {
    throw new ProxyError("upstream_bad_answer", { cause });
  }
  throw new ProxyError("upstream_bad_answer");
}
