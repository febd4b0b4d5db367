import { z } from "zod";
import { postJson } from "../../support/http.ts";

const operation = z.looseObject({
  operationId: z.string(),
  summary: z.string(),
  security: z.array(z.record(z.string(), z.unknown())),
  parameters: z
    .array(z.looseObject({ name: z.string(), in: z.string(), schema: z.unknown() }))
    .optional(),
  requestBody: z
    .object({
      required: z.literal(true),
      content: z.object({
        "application/json": z.object({ schema: z.unknown(), example: z.unknown() }).optional(),
        "multipart/form-data": z.object({ schema: z.unknown() }).optional(),
      }),
    })
    .optional(),
  responses: z.record(z.string(), z.unknown()),
});
const openapi = z.looseObject({
  openapi: z.literal("3.1.1"),
  paths: z.record(
    z.string(),
    z.object({
      get: operation.optional(),
      post: operation.optional(),
      put: operation.optional(),
      patch: operation.optional(),
      delete: operation.optional(),
    }),
  ),
});

export type OpenAPI = z.output<typeof openapi>;

export async function readOpenAPI(origin: string): Promise<OpenAPI> {
  const reply = await postJson(`${origin}/openapi.json`, undefined, { method: "GET" });
  if (reply.status !== 200) throw new Error(`${reply.status} ${reply.text}`);
  return openapi.parse(reply.json);
}

export type Operation = z.output<typeof operation>;

/** The body that the document shows; undefined where there is none. */
export const exampleOf = ({ requestBody }: Operation): unknown =>
  requestBody?.content["application/json"]?.example;

export const takesJson = ({ requestBody }: Operation): boolean =>
  requestBody?.content["application/json"] !== undefined;

const methods = ["get", "post", "put", "patch", "delete"] as const;

export function operationsIn({ paths }: OpenAPI) {
  return Object.entries(paths).flatMap(([path, item]) =>
    methods.flatMap((method) => {
      const found = item[method];
      return found === undefined ? [] : [{ path, method, operation: found }];
    }),
  );
}
