import { z } from "zod";
import type { RouteDoc } from "../../http/dialect.ts";

export const documentDoc: RouteDoc = {
  summary: "This document",
  credential: "none",
  answer: z.looseObject({ openapi: z.string() }),
};
