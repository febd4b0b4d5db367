import type { Call } from "../../core/call/call.ts";
import type { Pipeline } from "../../core/call/pipeline.ts";
import type { Routing } from "../../core/call/targets.ts";
import { ProxyError } from "../../core/errors.ts";
import type { FormRoom } from "../../http/body/form-room.ts";
import type { ModelRules } from "../../http/body/model-choice.ts";
import type { Idempotent } from "../../http/call/idempotency.ts";
import { openEmptyCall } from "../../http/call/json-call.ts";
import type { AppContext } from "../../http/call/request-context.ts";
import type { Translate } from "../../locales.ts";
import type { FileOptions } from "./files.ts";
import type { CountFree } from "./free-calls.ts";
import type { ModelFilter } from "./models.ts";
import type { StoredOwners } from "./stored-owners.ts";
import type { ReportOptions } from "./usage.ts";

export interface OpenAIOptions extends FileOptions, ReportOptions {
  readonly pipeline: Pipeline;
  readonly idempotent: Idempotent;
  readonly formRoom: FormRoom;
  readonly storedOwners: StoredOwners;
  readonly countFree: CountFree;
  readonly modelFilter: ModelFilter;
  readonly routing: Pick<Routing, "routed">;
  readonly rules: ModelRules;
  /** What the list of models has for callers without a credential. Empty: they are refused. */
  readonly visitorModels: readonly string[];
  /** In the examples of /openapi.json. */
  readonly model: string;
  /** For tokens, as each of their calls needs a price. */
  readonly moderationModel: string;
  readonly translate: Translate;
}

export const OPENAI = "openai";

/** Visitors may spend the operator's key in the older dialects only; here clients authenticate. */
export async function callOf(
  c: AppContext,
  options: OpenAIOptions,
  mayVisit = false,
): Promise<Call> {
  const call = await openEmptyCall(c, OPENAI, options);
  if (call.principal.kind === "visitor" && !mayVisit) throw new ProxyError("credential_missing");
  return call;
}
