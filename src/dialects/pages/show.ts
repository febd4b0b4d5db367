import type { AppContext } from "../../http/call/request-context.ts";
import { PAGE_HEADERS } from "../../http/reply/page.ts";
import {
  type ResponseHeaders,
  respond,
  responseHeaders,
} from "../../http/reply/response-headers.ts";
import type { Translate } from "../../locales.ts";
import type { BuiltPage, BuiltPages } from "./built.ts";
import { APP_POLICY, type AskedBy, writeAppPage, writeUnbuilt } from "./html.ts";

export interface ShowPageOptions {
  readonly facts: AskedBy;
  readonly translate: Translate;
  readonly readBuilt: () => Promise<BuiltPages | null>;
}

export type ShowPage = (
  c: AppContext,
  page: BuiltPage,
  more?: ResponseHeaders,
) => Promise<Response>;

export const HTML_TYPE = "text/html; charset=utf-8";
export const BY_ACCEPT = { vary: "Accept, Accept-Language" } as const;
/** Where each page's texts are in the locales. */
const PLACE = {
  visitor: "page.visitor",
  holder: "page.holder",
  status: "page.status",
  operator: "operator",
  viewer: "viewer",
} as const satisfies Record<BuiltPage, string>;

/** The HTML of a page in the language of the request, or what to do where the pages were not built. */
export function createShowPage({ facts, translate, readBuilt }: ShowPageOptions): ShowPage {
  return async function showPage(c, page, more = {}) {
    const { context } = c.env;
    const { language } = context;
    const built = await readBuilt();
    const text = (key: string) => translate(language, key);
    const headers = { ...responseHeaders(context, HTML_TYPE), ...BY_ACCEPT, ...more };
    if (built === null) {
      const html = writeUnbuilt(language, text("page.unbuilt"));
      return respond(200, html, { ...headers, ...PAGE_HEADERS });
    }
    const title = text(`${PLACE[page]}.title`);
    const noScript = text("page.no_script");
    const html = writeAppPage(built, { page, language, title, noScript, facts });
    return respond(200, html, {
      ...headers,
      "content-security-policy": APP_POLICY,
      "referrer-policy": "no-referrer",
    });
  };
}

/** Browsers name HTML; `*` alone is a program. */
export function asksForHtml(c: AppContext): boolean {
  return c.env.incoming.headers.accept?.includes("text/html") === true;
}
