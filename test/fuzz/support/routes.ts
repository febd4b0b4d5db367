/** Every operation of a running server, as its own description lists them. */
import { exampleOf, operationsIn, readOpenAPI } from "../../dialects/docs/support.ts";

export interface FuzzedRoute {
  readonly name: string;
  readonly method: string;
  /** With parameters in braces. */
  readonly path: string;
  /** Printed examples of the parameters in the path, by name. */
  readonly params: ReadonlyMap<string, string>;
  /** A body that succeeds; undefined where none is read. */
  readonly example: unknown;
  /** The names of its security schemes; "admin", "metrics", or those of callers. */
  readonly credentials: readonly string[];
}

export async function routesOf(origin: string): Promise<readonly FuzzedRoute[]> {
  const document = await readOpenAPI(origin);
  return operationsIn(document).map(({ path, method, operation }) => ({
    name: `${method.toUpperCase()} ${path}`,
    method: method.toUpperCase(),
    path,
    params: new Map(
      (operation.parameters ?? []).map(({ name, schema }) => [
        name,
        String(Reflect.get(Object(schema), "example") ?? "some"),
      ]),
    ),
    example: exampleOf(operation),
    credentials: operation.security.flatMap((one) => Object.keys(one)),
  }));
}

/** Names of fields that some route knows. */
export function fieldsOf(routes: readonly FuzzedRoute[]): readonly string[] {
  const known = routes.flatMap(({ example }) => Object.keys(Object(example)));
  return [
    ...new Set([...known, "stream", "api_key", "max_tokens", "n", "parent_id", "continuous"]),
  ];
}
