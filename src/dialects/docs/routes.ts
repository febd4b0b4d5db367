import { z } from "zod";
import { ProxyError } from "../../core/errors.ts";
import type { AppContext } from "../../http/call/request-context.ts";
import type { Dialect, ErrorDoc, Route, RouteDoc, WriteError } from "../../http/dialect.ts";
import { assetNames, createAssets } from "./assets.ts";
import { writeDocument } from "./document.ts";
import { answerKept, keep, onDemand } from "./kept.ts";
import { PAGE_POLICY, writePage } from "./page.ts";

export interface DocsOptions {
  /** Of Parley. */
  readonly version: string;
  /** Everything else that is served. */
  readonly others: readonly Dialect[];
  readonly writeError: WriteError;
  /** The form that `writeError` writes. */
  readonly errors: ErrorDoc;
  /** Whether callers without a credential may ask. */
  readonly visitors: boolean;
}

const JSON_TYPE = "application/json; charset=utf-8";
const HTML_TYPE = "text/html; charset=utf-8";
/** Asked about each time, and mostly answered with 304. */
const FRESH = "no-cache";
/** Other files only with another release; `private`, as headers of ours are about the caller. */
const ONE_HOUR = "private, max-age=3600";

/** `/openapi.json`, and the page that shows it. Free of limits. */
export function createDocs(options: DocsOptions): Dialect {
  const { version, others, writeError, errors, visitors } = options;
  const assets = createAssets();
  const document = onDemand(async () => {
    const text = await writeDocument({ version, dialects: [...others, docs], errors, visitors });
    return keep(Buffer.from(text), JSON_TYPE);
  });

  const showDocument = async (c: AppContext) =>
    answerKept(c, await document(), { "cache-control": FRESH });
  const showAsset = async (c: AppContext) => {
    const asset = await assets(c.req.param("asset") ?? "");
    if (asset === undefined) throw new ProxyError("not_found");
    return answerKept(c, asset, { "cache-control": ONE_HOUR });
  };
  const show = (at: "/docs" | "/docs/") => {
    const page = onDemand(() => keep(Buffer.from(writePage(at)), HTML_TYPE));
    const headers = {
      "cache-control": FRESH,
      "content-security-policy": PAGE_POLICY,
      "referrer-policy": "no-referrer",
    };
    return async (c: AppContext) => answerKept(c, await page(), headers);
  };

  const get = (path: string, doc: RouteDoc, handle: Route["handle"]): Route => {
    return { method: "GET", path, counted: false, handle, doc };
  };
  const docs: Dialect = {
    name: "docs",
    about: "What this server serves",
    prefix: "/docs",
    writeError,
    routes: [
      get("/openapi.json", documentDoc, showDocument),
      get("/docs", pageDoc, show("/docs")),
      get("/docs/", pageDoc, show("/docs/")),
      get("/docs/:asset", assetDoc, showAsset),
    ],
  };
  return docs;
}

const documentDoc: RouteDoc = {
  summary: "This document",
  credential: "none",
  answer: z.looseObject({ openapi: z.string() }),
};

const pageDoc: RouteDoc = {
  summary: "This document as a page",
  credential: "none",
  answer: z.string(),
  answerType: "text/html",
};

const assetDoc: RouteDoc = {
  summary: "What the page is made of",
  credential: "none",
  params: { asset: z.enum(assetNames) },
  answer: z.string(),
  answerType: ["text/css", "text/javascript", "image/png"],
  fails: ["not_found"],
};
