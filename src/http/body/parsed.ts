import type { z } from "zod";
import { ProxyError } from "../../core/errors.ts";
import { firstProblem } from "./field-problem.ts";

/** A body as its schema reads it. Throws the first mistake, naming the field. */
export function parsed<T extends z.ZodType>(schema: T, json: unknown): z.output<T> {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new ProxyError("body_not_object");
  }
  const result = schema.safeParse(json);
  if (!result.success) throw firstProblem(result.error, json);
  return result.data;
}
