import { z } from "zod";
import type { Dialect, Route, WriteError } from "../../http/dialect.ts";
import { answer, responseHeaders } from "../../http/reply/response-headers.ts";

const HTML_TYPE = "text/html; charset=utf-8";

/** `GET /`, with which older clients check that a server is there. */
export function createHome(writeError: WriteError): Dialect {
  const greet: Route = {
    method: "GET",
    path: "/",
    counted: false,
    onlyMethod: true,
    handle: (c) => answer(200, "Hello, World!", responseHeaders(c.env.context, HTML_TYPE)),
    doc: {
      summary: "Shows that a server is there",
      answer: z.string(),
      answerType: "text/html",
      credential: "none",
    },
  };
  return { name: "home", routes: [greet], writeError };
}
