import type { IncomingMessage } from "node:http";
import type { Translate } from "../../locales.ts";
import type { WriteError } from "../dialect.ts";
import { createFailureResponse, type ErrorForm, reasonText } from "./json-response.ts";
import { escaped, PAGE_HEADERS, writePage } from "./page.ts";
import { respond, responseHeaders } from "./response-headers.ts";

/** Beyond this depth the link is absolute. */
const MAX_DEPTH = 20;

/** JSON, and a short page with the same status for a browser that opens an address. */
export function createPageErrors(translate: Translate, form: ErrorForm): WriteError {
  const failureResponse = createFailureResponse(translate, form);
  return function writeError(c, error) {
    const { incoming, context } = c.env;
    const { status, headers, body } = failureResponse(context, error);
    if (!asksForPage(incoming)) return respond(status, body, headers);
    const reason = escaped(reasonText(translate, context, error));
    const start = escaped(translate(context.language, "page.start"));
    const link = `<p><a href="${startOf(incoming.url ?? "/")}">${start}</a></p>`;
    const page = writePage(context.language, String(status), `<p>${reason}</p>\n${link}`);
    const html = responseHeaders(context, "text/html; charset=utf-8");
    return respond(status, page, { ...headers, ...html, ...PAGE_HEADERS });
  };
}

function asksForPage({ method, headers }: IncomingMessage): boolean {
  return (method === "GET" || method === "HEAD") && headers.accept?.includes("text/html") === true;
}

/** Relative, because a proxy may have taken a prefix away. */
function startOf(url: string): string {
  const [path = ""] = url.split("?", 1);
  const depth = path.split("/").length - 2;
  return depth > MAX_DEPTH ? "/" : "../".repeat(Math.max(0, depth)) || "./";
}
