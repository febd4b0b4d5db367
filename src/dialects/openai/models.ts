import type { PriceBook } from "../../core/accounts/accounts.ts";
import { mayReach } from "../../core/call/attempts.ts";
import type { Principal } from "../../core/call/call.ts";
import { callPrices } from "../../core/call/call-prices.ts";
import type { Plan, Routing } from "../../core/call/targets.ts";
import { ProxyError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import { DEFAULT_UPSTREAM } from "../../core/routing/routing.ts";
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

export interface ModelFilterNeeds {
  readonly prices: PriceBook;
  readonly clock: Pick<Clock, "wallMs">;
  readonly routing: Pick<Routing, "planFor">;
}

/** The same conditions as for a call: the token or the operator allows the model, and it has a price. */
export function createModelFilter(
  { prices, clock, routing }: ModelFilterNeeds,
  rules: ModelRules,
): ModelFilter {
  return async (principal, model) => {
    const plan = await routing.planFor(model);
    if (!mayReach(plan, principal)) return false;
    if (principal.kind !== "token") return true;
    const { models } = principal.found.token;
    if (models !== null && !models.includes(model)) return false;
    if (!mayHaveModel(principal, model, rules)) return false;
    const { targets } = plan;
    const { all } = await callPrices(prices, { model, targets }, clock.wallMs());
    return !all.includes(null);
  };
}

/** Names of what is routed to where the principal may go. */
export function modelsWithin(
  { kind }: Principal,
  routed: ReadonlyMap<string, Plan>,
): readonly string[] {
  const isWithin = ({ targets }: Plan) =>
    kind !== "own-key" || targets.some(({ upstream }) => upstream === DEFAULT_UPSTREAM);
  return [...routed].flatMap(([name, plan]) => (isWithin(plan) ? [name] : []));
}

/** A model that the operator has routed, in OpenAI's form or in Anthropic's. */
export function routedModel(id: string, isAnthropic: boolean): object {
  return isAnthropic
    ? { type: "model", id, display_name: id, created_at: new Date(0).toISOString() }
    : { id, object: "model", created: 0, owned_by: "parley" };
}

export interface RoutedModels {
  readonly routed: readonly string[];
  /** The client's language. */
  readonly isAnthropic: boolean;
}

/**
 * The default upstream's list with what the operator has routed; for a token without the models it may not
 * use. `bytes` is null if that upstream gave none.
 */
export async function writeModels(
  bytes: Uint8Array | null,
  principal: Principal,
  mayUse: ModelFilter,
  { routed, isAnthropic }: RoutedModels,
): Promise<Uint8Array | string> {
  if (bytes !== null && principal.kind !== "token" && routed.length === 0) return bytes;
  const given = bytes === null ? emptyList(isAnthropic) : parseList(bytes);
  const own = new Set(routed);
  const others = given.data.filter((model) => !own.has(idOf(model)));
  const list = { ...given, data: [...routed.map((id) => routedModel(id, isAnthropic)), ...others] };
  const data: unknown[] = [];
  for (const model of list.data) {
    const id = idOf(model);
    if (id !== "" && (await mayUse(principal, id))) data.push(model);
  }
  return JSON.stringify({ ...list, data, ...("first_id" in list && endsOf(data)) });
}

function emptyList(isAnthropic: boolean) {
  const ends = { has_more: false, first_id: null, last_id: null };
  return isAnthropic ? { data: [], ...ends } : { object: "list", data: [] };
}

/** Anthropic's lists name their first and last model. */
function endsOf(data: readonly unknown[]) {
  const [first_id, last_id] = [data[0], data.at(-1)].map((model) =>
    typeof model === "object" && model !== null ? (Reflect.get(model, "id") as unknown) : null,
  );
  return { first_id, last_id };
}

function idOf(model: unknown): string {
  const id: unknown = typeof model === "object" && model !== null && Reflect.get(model, "id");
  return typeof id === "string" ? id : "";
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
