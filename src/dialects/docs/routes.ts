import { ProxyError } from "../../core/errors.ts";
import type { AppContext } from "../../http/call/request-context.ts";
import type { Dialect, ErrorDoc, Route, RouteDoc, WriteError } from "../../http/dialect.ts";
import { assetDoc, documentDoc, pageDoc } from "./docs.ts";
import { writeDocument } from "./document.ts";
import { createAssets, PAGE_POLICY, writeDocsPage } from "./page.ts";
import { createCachedFile, once, respondCached } from "./wire.ts";

export interface DocsOptions {
  /** Parley's version. */
  readonly version: string;
  /** Every other dialect. */
  readonly others: readonly Dialect[];
  readonly writeError: WriteError;
  /** The form that `writeError` writes. */
  readonly errors: ErrorDoc;
  /** Whether callers without a credential may ask. */
  readonly visitors: boolean;
}

const JSON_TYPE = "application/json; charset=utf-8";
const HTML_TYPE = "text/html; charset=utf-8";
/** Clients revalidate each time, and mostly get 304. */
const FRESH = "no-cache";
/** Assets change only with a release; `private`, since our other headers are about the caller. */
const ONE_HOUR = "private, max-age=3600";

/** `/openapi.json`, and the page that shows it. Not counted by the limits. */
export function createDocs(options: DocsOptions): Dialect {
  const { version, others, writeError, errors, visitors } = options;
  const assets = createAssets();
  const document = once(async () => {
    const text = await writeDocument({ version, dialects: [...others, docs], errors, visitors });
    return createCachedFile(Buffer.from(text), JSON_TYPE);
  });
  const showDocument = async (c: AppContext) =>
    respondCached(c, await document(), { "cache-control": FRESH });
  const showAsset = async (c: AppContext) => {
    const asset = await assets(c.req.param("asset") ?? "");
    if (asset === undefined) throw new ProxyError("not_found");
    return respondCached(c, asset, { "cache-control": ONE_HOUR });
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
      get("/docs", pageDoc, createShowPage("/docs")),
      get("/docs/", pageDoc, createShowPage("/docs/")),
      get("/docs/:asset", assetDoc, showAsset),
    ],
  };
  return docs;
}

function createShowPage(at: "/docs" | "/docs/"): Route["handle"] {
  const page = once(() => createCachedFile(Buffer.from(writeDocsPage(at)), HTML_TYPE));
  return async (c) =>
    respondCached(c, await page(), {
      "cache-control": FRESH,
      "content-security-policy": PAGE_POLICY,
      "referrer-policy": "no-referrer",
    });
}
