import type { AppContext } from "../../http/call/request-context.ts";
import type { Dialect, ErrorDoc, WriteError } from "../../http/dialect.ts";
import { documentDoc } from "./docs.ts";
import { writeDocument } from "./document.ts";
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
/** Clients revalidate each time, and mostly get 304. */
const FRESH = "no-cache";

/** `/openapi.json`; the page that shows it is at /docs, so nothing else is below that. Not counted by the limits. */
export function createDocs(options: DocsOptions): Dialect {
  const { version, others, writeError, errors, visitors } = options;
  const document = once(async () => {
    const text = await writeDocument({ version, dialects: [...others, docs], errors, visitors });
    return createCachedFile(Buffer.from(text), JSON_TYPE);
  });
  const showDocument = async (c: AppContext) =>
    respondCached(c, await document(), { "cache-control": FRESH });
  const docs: Dialect = {
    name: "docs",
    about: "What this server serves",
    prefix: "/docs",
    writeError,
    routes: [
      {
        method: "GET",
        path: "/openapi.json",
        counted: false,
        handle: showDocument,
        doc: documentDoc,
      },
    ],
  };
  return docs;
}
