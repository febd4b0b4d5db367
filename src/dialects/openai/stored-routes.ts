import type { z } from "zod";
import { withExactNumbers } from "../../core/exact-numbers.ts";
import { DEFAULT_UPSTREAM } from "../../core/routing/routing.ts";
import type { RelayRequest } from "../../core/upstream-ports.ts";
import { parsed, parseJson } from "../../http/body/parsed.ts";
import { relayFields } from "../../http/body/relay-fields.ts";
import { readCallBody } from "../../http/call/json-call.ts";
import type { AppContext } from "../../http/call/request-context.ts";
import type { Route, RouteDoc } from "../../http/dialect.ts";
import { wholeOf } from "../../http/reply/whole-answer.ts";
import { modelNotFound } from "./models.ts";
import { callOf, type OpenAIOptions } from "./options.ts";
import { MEANS_TRUE, pathRequest } from "./path-request.ts";
import { respondPassing, sendPassed } from "./relays.ts";
import { storedBodies, storedDocs } from "./stored-docs.ts";

export interface StoredRoute extends Pick<Route, "method" | "path" | "handle"> {
  readonly doc: RouteDoc;
}

const INCLUDE = ["include", "include[]"];
const LIST = [...INCLUDE, "after", "before", "limit", "order"];
const RESPONSE = [...INCLUDE, "stream", "starting_after", "include_obfuscation"];

/** What the service keeps: asked for by the token that made it, or with a key of the caller's own. */
export function storedRoutes(options: OpenAIOptions): readonly StoredRoute[] {
  const on = (method: RelayRequest["method"], query: readonly string[], does: Does = {}) =>
    onObject(options, method, query, does);
  const responses = "/v1/responses/:id";
  const conversations = "/v1/conversations/:id";
  const { response, conversation, items } = storedDocs;
  return [
    // before the paths that it would be an id in
    {
      method: "POST",
      path: "/v1/responses/input_tokens",
      doc: response.count(options.model),
      handle: countTokens(options),
    },
    { method: "GET", path: responses, doc: response.show, handle: on("GET", RESPONSE) },
    {
      method: "DELETE",
      path: responses,
      doc: response.remove,
      handle: on("DELETE", [], { removes: true }),
    },
    { method: "POST", path: `${responses}/cancel`, doc: response.cancel, handle: on("POST", []) },
    {
      method: "GET",
      path: `${responses}/input_items`,
      doc: response.items,
      handle: on("GET", LIST),
    },
    {
      method: "POST",
      path: "/v1/conversations",
      doc: conversation.create,
      handle: createConversation(options),
    },
    { method: "GET", path: conversations, doc: conversation.show, handle: on("GET", []) },
    {
      method: "POST",
      path: conversations,
      doc: conversation.update,
      handle: on("POST", [], { reads: storedBodies.update }),
    },
    {
      method: "DELETE",
      path: conversations,
      doc: conversation.remove,
      handle: on("DELETE", [], { removes: true }),
    },
    { method: "GET", path: `${conversations}/items`, doc: items.list, handle: on("GET", LIST) },
    {
      method: "POST",
      path: `${conversations}/items`,
      doc: items.create,
      handle: on("POST", INCLUDE, { reads: storedBodies.addItems }),
    },
    {
      method: "GET",
      path: `${conversations}/items/:item_id`,
      doc: items.show,
      handle: on("GET", INCLUDE),
    },
    {
      method: "DELETE",
      path: `${conversations}/items/:item_id`,
      doc: items.remove,
      handle: on("DELETE", []),
    },
  ];
}

/** What a request does beside asking. */
interface Does {
  /** Its body. */
  readonly reads?: z.ZodType;
  /** The object is gone then. */
  readonly removes?: true;
}

function onObject(
  options: OpenAIOptions,
  method: RelayRequest["method"],
  query: readonly string[],
  { reads, removes }: Does,
) {
  const { pipeline, storedOwners, countFree, translate } = options;
  return async function askAboutObject(c: AppContext): Promise<Response> {
    const call = await callOf(c, options);
    const { outgoing, context } = c.env;
    const id = c.req.param("id") ?? "";
    const request = pathRequest(c, method, query);
    const body = reads === undefined ? null : await readObject(c, options, reads);
    await countFree(call);
    const upstream = await storedOwners.check(call.principal, id);
    const streamed = query.includes("stream") && MEANS_TRUE.test(c.req.query("stream") ?? "");
    const asked = { ...request, body, streamed };
    const relayed = await pipeline.relayUnmetered(call, asked, { upstream });
    if (removes === true) await storedOwners.remove(call.principal, id);
    return respondPassing(outgoing, context, relayed, { numbersEvents: true }, translate);
  };
}

async function readObject(c: AppContext, options: OpenAIOptions, schema: z.ZodType) {
  const bytes = await readCallBody(c, options);
  const json = parseJson(bytes);
  parsed(schema, json);
  // checked by the schema
  return JSON.stringify(withExactNumbers(json as object, bytes));
}

function createConversation(options: OpenAIOptions) {
  const { pipeline, storedOwners, countFree } = options;
  return async function create(c: AppContext): Promise<Response> {
    const call = await callOf(c, options);
    const { outgoing, context } = c.env;
    const body = await readObject(c, options, storedBodies.create);
    await countFree(call);
    await storedOwners.checkRoom(call.principal);
    const request = { ...pathRequest(c, "POST", []), body, mayPass: false };
    const answer = wholeOf(await pipeline.relayUnmetered(call, request));
    const { upstreamId } = answer.account;
    if (upstreamId !== null) {
      const made = { kind: "conversation", id: upstreamId, upstream: DEFAULT_UPSTREAM } as const;
      await storedOwners.keep(call.principal, made);
    }
    return sendPassed(outgoing, context, answer);
  };
}

/** Free, but only for models that the caller may use. */
function countTokens(options: OpenAIOptions) {
  const { pipeline, storedOwners, countFree, modelFilter } = options;
  return async function count(c: AppContext): Promise<Response> {
    const call = await callOf(c, options);
    const { outgoing, context } = c.env;
    const bytes = await readCallBody(c, options);
    const fields = parsed(relayFields, parseJson(bytes));
    await countFree(call);
    const upstream = await storedOwners.checkFields(call.principal, fields);
    const { model } = fields;
    if (model != null && !(await modelFilter(call.principal, model))) throw modelNotFound(model);
    const exact = withExactNumbers(fields, bytes);
    const plain = pathRequest(c, "POST", []);
    const named = (name: string): RelayRequest => ({
      ...plain,
      body: JSON.stringify({ ...exact, model: name }),
      named,
    });
    const request = { ...plain, body: JSON.stringify(exact), named };
    const asked = { upstream, model: model ?? undefined };
    const relayed = await pipeline.relayUnmetered(call, request, asked);
    return sendPassed(outgoing, context, relayed);
  };
}
