import { ProxyError } from "../../core/errors.ts";
import type { AppContext } from "../../http/call/request-context.ts";
import type { Dialect, Route, RouteDoc, WriteError } from "../../http/dialect.ts";
import { acceptsCoding } from "../../http/reply/content-coding.ts";
import {
  type ResponseHeaders,
  respond,
  responseHeaders,
} from "../../http/reply/response-headers.ts";
import type { Translate } from "../../locales.ts";
import { type BuiltFile, type BuiltPages, createBuiltPages } from "./built.ts";
import {
  elsewhereDoc,
  holderDoc,
  operatorDoc,
  pageAssetDoc,
  stateDoc,
  viewerDoc,
  visitorDoc,
} from "./docs.ts";
import type { AskedBy } from "./html.ts";
import { asksForHtml, BY_ACCEPT, createShowPage, HTML_TYPE } from "./show.ts";
import { type StateOptions, serverState } from "./state.ts";

export interface PagesOptions extends StateOptions {
  readonly facts: AskedBy;
  readonly translate: Translate;
  readonly writeError: WriteError;
}

const JSON_TYPE = "application/json; charset=utf-8";
/** `private`, since our other headers are about the caller. */
const FOR_EVER = "private, max-age=31536000, immutable";
const NOT_KEPT = { "cache-control": "no-store" } as const;
const TEN_SECONDS = "private, max-age=10";

/** What people see: their pages, and the public state. Not counted. */
export function createPages(options: PagesOptions): readonly Dialect[] {
  const readBuilt = createBuiltPages();

  const { facts, translate } = options;
  const showPage = createShowPage({ facts, translate, readBuilt });

  const greet = (c: AppContext) => {
    if (asksForHtml(c)) return showPage(c, "visitor");
    const headers = { ...responseHeaders(c.env.context, HTML_TYPE), ...BY_ACCEPT };
    return respond(200, "Hello, World!", headers);
  };

  const showState = async (c: AppContext) => {
    const caching = { "cache-control": TEN_SECONDS };
    if (asksForHtml(c)) return showPage(c, "status", caching);
    const headers = { ...responseHeaders(c.env.context, JSON_TYPE), ...BY_ACCEPT, ...caching };
    return respond(200, JSON.stringify(await serverState(options)), headers);
  };

  const showAsset = async (c: AppContext) => {
    const files = (await readBuilt())?.files ?? {};
    const name = c.req.param("file") ?? "";
    const file = Object.hasOwn(files, name) ? files[name] : undefined;
    if (file !== undefined) return respondFile(c, file, FOR_EVER);
    const current = sameName(files, name);
    if (current === undefined) throw new ProxyError("not_found");
    return respondFile(c, current, NOT_KEPT["cache-control"]);
  };

  const { writeError } = options;
  const pages: Dialect = {
    name: "pages",
    about: "What people see",
    writeError,
    routes: [
      { ...get("/", visitorDoc, greet), onlyMethod: true },
      get("/me", holderDoc, (c) => showPage(c, "holder")),
      get("/me/", elsewhereDoc, (c) => c.body(null, 308, redirect(c, "../me"))),
      get("/status", stateDoc, showState),
      get("/docs", viewerDoc, (c) => showPage(c, "viewer")),
      get("/docs/", elsewhereDoc, (c) => c.body(null, 308, redirect(c, "../docs"))),
      // the names of chats have no dot in this place
      get("/assets/:file{[\\w-]+\\.\\w+}", pageAssetDoc, showAsset),
    ],
  };
  const operator: Dialect = {
    name: "operator",
    about: "The operator's page",
    crossOrigin: false,
    writeError,
    routes: [
      get("/admin", operatorDoc, (c) => showPage(c, "operator", NOT_KEPT)),
      get("/admin/", elsewhereDoc, (c) => c.body(null, 308, redirect(c, "../admin"))),
    ],
  };
  return [pages, operator];
}

function get(path: string, doc: RouteDoc, handle: Route["handle"]): Route {
  return { method: "GET", path, counted: false, doc, handle };
}

function redirect(c: AppContext, location: string): ResponseHeaders {
  return { ...responseHeaders(c.env.context, HTML_TYPE), location };
}

const DIGEST = /-[0-9a-f]{8}(?=\.(?:json|css)$)/;

/** Pages of another version that are still open ask for its texts and sheets: these of ours serve. */
function sameName(files: BuiltPages["files"], name: string): BuiltFile | undefined {
  if (!DIGEST.test(name)) return undefined;
  const plain = name.replace(DIGEST, "");
  const current = Object.keys(files).find((one) => one.replace(DIGEST, "") === plain);
  return current === undefined ? undefined : files[current];
}

function respondFile(
  c: AppContext,
  { type, plain, brotli, gzip }: BuiltFile,
  caching: string,
): Response {
  const { headers: asked } = c.env.incoming;
  const headers = {
    ...responseHeaders(c.env.context, type),
    vary: "Accept-Encoding",
    "cache-control": caching,
  };
  const coded = ([coding, bytes]: readonly ["br" | "gzip", Uint8Array]) =>
    acceptsCoding(coding, asked["accept-encoding"])
      ? respond(200, bytes, { ...headers, "content-encoding": coding })
      : null;
  return coded(["br", brotli]) ?? coded(["gzip", gzip]) ?? respond(200, plain, headers);
}
