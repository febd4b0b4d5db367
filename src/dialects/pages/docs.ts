import { z } from "zod";
import type { RouteDoc } from "../../http/dialect.ts";
import { stateSchema } from "./state.ts";

const page = { answer: z.string(), answerType: "text/html", credential: "none" } as const;

export const visitorDoc: RouteDoc = {
  ...page,
  summary: "Shows that a server is there; a browser gets the page of visitors",
};

export const holderDoc: RouteDoc = { ...page, summary: "The page of token holders" };

export const viewerDoc: RouteDoc = { ...page, summary: "The page that shows openapi.json" };

export const operatorDoc: RouteDoc = { ...page, summary: "The page of the operator, who signs in" };

export const elsewhereDoc: RouteDoc = {
  ...page,
  summary: "Leads to the page without the slash",
  status: 308,
};

export const stateDoc: RouteDoc = {
  summary: "How the server is doing, for everybody; a browser gets a page",
  credential: "none",
  answer: stateSchema,
};

export const pageAssetDoc: RouteDoc = {
  summary: "The scripts, styles and texts of the pages",
  credential: "none",
  params: { file: z.string() },
  answer: z.string(),
  answerType: ["text/javascript", "text/css", "application/json", "image/svg+xml"],
  fails: ["not_found"],
};
