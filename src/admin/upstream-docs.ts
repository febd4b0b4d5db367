import { z } from "zod";
import type { Route, RouteDoc } from "../http/dialect.ts";
import { upstreamSchemas } from "./upstream-schemas.ts";
import { upstreamViewSchemas } from "./upstream-views.ts";

const { upstream, probe, route } = upstreamViewSchemas;
const limited = ["field_too_long", "field_unknown", "field_repeated"] as const;
const name = { name: z.string().meta({ example: "ollama" }) };
const model = { model: z.string().meta({ example: "fast" }) };
const removed = z.object({ name: z.string(), removed: z.boolean() });

/** Each route on upstreams and models' routes by method and path below /admin. */
export const upstreamDocs = {
  "POST /upstreams": {
    summary: "Adds an upstream; its keys, headers and proxy are not shown again",
    body: upstreamSchemas.newUpstream,
    example: { name: "ollama", url: "http://127.0.0.1:11434/v1", models: ["llama3:8b"] },
    status: 201,
    answer: upstream,
    fails: [
      ...["upstream_name_taken", "upstream_fixed", "routing_full", "secret_key_missing"],
      ...limited,
    ],
  },
  "GET /upstreams": {
    summary: "Lists upstreams with the states of their breakers; the one of the settings first",
    answer: z.object({
      upstreams: z.array(upstream),
      seals_secrets: z
        .boolean()
        .describe("Whether SECRET_KEY is set, so that secrets can be stored"),
    }),
  },
  "GET /upstreams/:name": {
    summary: "Shows an upstream",
    params: name,
    answer: upstream,
    fails: ["upstream_unknown"],
  },
  "PATCH /upstreams/:name": {
    summary: "Changes an upstream; what is left out stays, null takes a value away",
    body: upstreamSchemas.changes,
    example: { concurrency: 4, proxy: null },
    params: name,
    answer: upstream,
    fails: [
      ...["upstream_unknown", "upstream_fixed", "upstream_unreadable", "secret_key_missing"],
      ...limited,
    ],
  },
  "DELETE /upstreams/:name": {
    summary: "Removes an upstream that no route names",
    params: name,
    answer: removed,
    fails: ["upstream_unknown", "upstream_fixed", "upstream_in_use"],
  },
  "POST /upstreams/:name/test": {
    summary: "Asks an upstream for its models, or with `paid` for one token, and tells what came",
    description: "The body may be left out. Without a free request, nothing is asked.",
    body: upstreamSchemas.test,
    example: { paid: false },
    params: name,
    answer: probe,
    fails: ["upstream_unknown", "upstream_unreadable", ...limited],
  },
  "GET /routes": {
    summary: "Lists the routes of models",
    answer: z.object({ routes: z.array(route) }),
  },
  "GET /routes/:model{.+}": {
    summary: "Shows the route of a model",
    params: model,
    answer: route,
    fails: ["route_unknown"],
  },
  "PUT /routes/:model{.+}": {
    summary: "Sets which upstreams answer for a model",
    description:
      "Commas separate targets that share the calls by weight, semicolons the next resort: `openai:gpt-4o@3, azure:gpt-4o-eu@1; deepseek:deepseek-chat`.",
    body: upstreamSchemas.newRoute,
    example: { to: "default:gpt-4o-mini" },
    params: model,
    answer: route,
    fails: ["field_unknown_upstream", "routing_full", ...limited],
  },
  "DELETE /routes/:model{.+}": {
    summary: "Removes the route of a model",
    params: model,
    answer: z.object({ model: z.string(), removed: z.boolean() }),
    fails: ["route_unknown"],
  },
} as const satisfies Readonly<Record<`${Route["method"]} /${string}`, RouteDoc>>;
