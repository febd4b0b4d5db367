import { ProxyError } from "../../core/errors.ts";
import type { AppContext } from "../../http/call/request-context.ts";
import type { Dialect, Route, RouteDoc, WriteError } from "../../http/dialect.ts";
import { acceptsCoding } from "../../http/reply/content-coding.ts";
import { PAGE_HEADERS } from "../../http/reply/page.ts";
import {
  type ResponseHeaders,
  respond,
  responseHeaders,
} from "../../http/reply/response-headers.ts";
import type { Translate } from "../../locales.ts";
import { type BuiltFile, type BuiltPage, createBuiltPages } from "./built.ts";
import { elsewhereDoc, holderDoc, pageAssetDoc, stateDoc, visitorDoc } from "./docs.ts";
import { APP_POLICY, type AskedBy, writeAppPage, writeUnbuilt } from "./html.ts";
import { type StateOptions, serverState } from "./state.ts";

export interface PagesOptions extends StateOptions {
  readonly facts: AskedBy;
  readonly translate: Translate;
  readonly writeError: WriteError;
}

const HTML_TYPE = "text/html; charset=utf-8";
const JSON_TYPE = "application/json; charset=utf-8";
/** `private`, since our other headers are about the caller. */
const FOR_EVER = "private, max-age=31536000, immutable";
const TEN_SECONDS = "private, max-age=10";
const BY_ACCEPT = { vary: "Accept, Accept-Language" } as const;

/** What people see: the pages of visitors and token holders, and the public state. Not counted. */
export function createPages(options: PagesOptions): Dialect {
  const readBuilt = createBuiltPages();

  const showPage = async (c: AppContext, page: BuiltPage, more: ResponseHeaders = {}) => {
    const { context } = c.env;
    const { language } = context;
    const built = await readBuilt();
    const text = (key: string) => options.translate(language, `page.${key}`);
    const headers = { ...responseHeaders(context, HTML_TYPE), ...BY_ACCEPT, ...more };
    if (built === null) {
      const html = writeUnbuilt(language, text("unbuilt"));
      return respond(200, html, { ...headers, ...PAGE_HEADERS });
    }
    const title = text(`${page}.title`);
    const noScript = text("no_script");
    const { facts } = options;
    const html = writeAppPage(built, { page, language, title, noScript, facts });
    return respond(200, html, {
      ...headers,
      "content-security-policy": APP_POLICY,
      "referrer-policy": "no-referrer",
    });
  };

  const greet = (c: AppContext) => {
    if (asksForHtml(c)) return showPage(c, "visitor");
    const headers = { ...responseHeaders(c.env.context, HTML_TYPE), ...BY_ACCEPT };
    return respond(200, "Hello, World!", headers);
  };

  const showState = (c: AppContext) => {
    const caching = { "cache-control": TEN_SECONDS };
    if (asksForHtml(c)) return showPage(c, "status", caching);
    const headers = { ...responseHeaders(c.env.context, JSON_TYPE), ...BY_ACCEPT, ...caching };
    return respond(200, JSON.stringify(serverState(options)), headers);
  };

  const showAsset = async (c: AppContext) => {
    const files = (await readBuilt())?.files ?? {};
    const name = c.req.param("file") ?? "";
    const file = Object.hasOwn(files, name) ? files[name] : undefined;
    if (file === undefined) throw new ProxyError("not_found");
    return respondFile(c, file);
  };

  const get = (path: string, doc: RouteDoc, handle: Route["handle"]) =>
    ({ method: "GET", path, counted: false, doc, handle }) as const;
  return {
    name: "pages",
    about: "What people see",
    writeError: options.writeError,
    routes: [
      { ...get("/", visitorDoc, greet), onlyMethod: true },
      get("/me", holderDoc, (c) => showPage(c, "holder")),
      get("/me/", elsewhereDoc, (c) => c.body(null, 308, redirect(c, "../me"))),
      get("/status", stateDoc, showState),
      // the names of chats have no dot in this place
      get("/assets/:file{[\\w-]+\\.\\w+}", pageAssetDoc, showAsset),
    ],
  };
}

function redirect(c: AppContext, location: string): ResponseHeaders {
  return { ...responseHeaders(c.env.context, HTML_TYPE), location };
}

/** Browsers name HTML; `*` alone is a program. */
function asksForHtml(c: AppContext): boolean {
  return c.env.incoming.headers.accept?.includes("text/html") === true;
}

function respondFile(c: AppContext, { type, plain, brotli, gzip }: BuiltFile): Response {
  const { headers: asked } = c.env.incoming;
  const headers = {
    ...responseHeaders(c.env.context, type),
    vary: "Accept-Encoding",
    "cache-control": FOR_EVER,
  };
  const coded = ([coding, bytes]: readonly ["br" | "gzip", Uint8Array]) =>
    acceptsCoding(coding, asked["accept-encoding"])
      ? respond(200, bytes, { ...headers, "content-encoding": coding })
      : null;
  return coded(["br", brotli]) ?? coded(["gzip", gzip]) ?? respond(200, plain, headers);
}
