import { MAX_IMAGES } from "../../core/accounts/units.ts";
import type { Call } from "../../core/call/call.ts";
import type { RelayCall } from "../../core/call/pipeline.ts";
import { fieldError } from "../../core/common-errors.ts";
import type { RelayRequest } from "../../core/upstream-ports.ts";
import { type FormPart, formFieldIn, readForm } from "../../http/body/form.ts";
import type { FormRoom } from "../../http/body/form-room.ts";
import { writeForm } from "../../http/body/form-text.ts";
import { checkPassedOn, type ModelRules } from "../../http/body/model-choice.ts";
import { isLookalike } from "../../http/body/relay-fields.ts";
import { openUpload } from "../../http/body/upload.ts";
import type { AppContext } from "../../http/call/request-context.ts";
import type { FormEndpoint } from "./media-endpoints.ts";
import { MEANS_TRUE } from "./path-request.ts";

export interface FormRelayOptions {
  /** A larger form is refused. */
  readonly maxUploadBytes: number;
  readonly formRoom: FormRoom;
  readonly rules: ModelRules;
}

/** An answer in the form that the client has chosen, which Parley does not always read. */
const ANY_ANSWER = {
  method: "POST",
  hideUsage: false,
  mayPass: true,
  anyBytes: "labeled",
} as const;

/**
 * The form of a token is read whole, since its model may stand after the file. That of a caller who pays
 * with a key of their own passes unread.
 */
export async function relayForm(
  c: AppContext,
  call: Call,
  endpoint: FormEndpoint,
  options: FormRelayOptions,
): Promise<RelayCall> {
  const { incoming, outgoing, context } = c.env;
  const { maxUploadBytes: maxBytes, formRoom, rules } = options;
  const { path } = endpoint;
  if (call.principal.kind === "own-key") {
    const body = openUpload(incoming, maxBytes);
    return {
      model: "",
      expected: endpoint.expected([], 1),
      request: { ...ANY_ANSWER, path, body, streamed: false },
    };
  }
  const onArrived = formRoom.enter(outgoing, context.client.bucket);
  const parts = withoutStrangers(await readForm(incoming, { maxBytes, onArrived }));
  const model = formFieldIn(parts, "model") ?? "";
  checkPassedOn(call.principal, { model, fields: {}, bounds: null }, rules);
  const made = countIn(endpoint, parts);
  const streamed = MEANS_TRUE.test(formFieldIn(parts, "stream") ?? "");
  const requestFor = (sent: readonly FormPart[]): RelayRequest => {
    const { contentType, bytes: body } = writeForm(sent);
    const named = (name: string) => requestFor(withModel(parts, name));
    return { ...ANY_ANSWER, path, body, contentType, streamed, named };
  };
  return { model, expected: endpoint.expected(parts, made), request: requestFor(parts) };
}

function withModel(parts: readonly FormPart[], model: string): readonly FormPart[] {
  const others = parts.filter(({ name }) => name !== "model");
  return [{ name: "model", pieces: [Buffer.from(model)], file: null }, ...others];
}

function countIn({ hasCount }: FormEndpoint, parts: readonly FormPart[]): number {
  const text = hasCount ? formFieldIn(parts, "n") : undefined;
  if (text === undefined || text === "") return 1;
  const count = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= MAX_IMAGES) return count;
  throw fieldError("field_range", "n", { min: 1, max: MAX_IMAGES });
}

/** Fields that a service may take for those that are read here, and a credential of other dialects. */
function withoutStrangers(parts: readonly FormPart[]): readonly FormPart[] {
  return parts.filter(({ name }) => {
    const [bare = ""] = name.split("[", 1);
    const isRead = bare !== name && READ.has(bare);
    return name !== "" && name !== "api_key" && !isLookalike(bare) && !isRead;
  });
}

const READ: ReadonlySet<string> = new Set(["model", "n", "stream"]);
