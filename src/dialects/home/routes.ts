import { z } from "zod";
import type { Dialect, Route, WriteError } from "../../http/dialect.ts";
import { answer, responseHeaders } from "../../http/reply/response-headers.ts";

const HTML_TYPE = "text/html; charset=utf-8";
const GREETING = "Hello, World!";

/** What stands at `/`, by which older clients tell whether a server is there. */
export function createHome(writeError: WriteError): Dialect {
  const greet: Route = {
    method: "GET",
    path: "/",
    counted: false,
    onlyMethod: true,
    handle: (c) => answer(200, GREETING, responseHeaders(c.env.context, HTML_TYPE)),
    doc: {
      summary: "Tells that the server is there",
      answer: z.string(),
      answerType: "text/html",
      credential: "none",
    },
  };
  return { name: "home", routes: [greet], writeError };
}
