import { z } from "zod";
import type { RouteDoc } from "../../http/dialect.ts";
import { assetNames } from "./page.ts";

export const documentDoc: RouteDoc = {
  summary: "This document",
  credential: "none",
  answer: z.looseObject({ openapi: z.string() }),
};

export const pageDoc: RouteDoc = {
  summary: "This document as a page",
  credential: "none",
  answer: z.string(),
  answerType: "text/html",
};

export const assetDoc: RouteDoc = {
  summary: "The page's scripts, styles and icon",
  credential: "none",
  params: { asset: z.enum(assetNames) },
  answer: z.string(),
  answerType: ["text/css", "text/javascript", "image/png"],
  fails: ["not_found"],
};
