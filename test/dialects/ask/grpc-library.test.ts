/** Failures that the library finds by itself are told like all others. */
import type { IncomingHttpHeaders } from "node:http2";
import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { stallAfterHeaders } from "../../support/faults.ts";
import { startGrpc } from "../../support/grpc.ts";
import { framed, openAsk, openSession, requestOf, statusOf } from "../../support/grpc-raw.ts";

const HEALTH = "/grpc.health.v1.Health/Check";
const gzipped = Buffer.concat([Buffer.of(1), framed(requestOf("x")).subarray(1)]);
const large = framed(Buffer.alloc(0), 100_000);
const twice = Buffer.concat([framed(Buffer.alloc(0)), framed(Buffer.alloc(0))]);
/** A request for the health of `x`, which is none of our services. */
const unknownService = framed(Buffer.of(0x0a, 1, 0x78));

const rows: [string, Record<string, string>, Buffer, keyof typeof status, string][] = [
  [
    "an unknown method",
    { ":path": "/chat.Chat/Other" },
    framed(requestOf("x")),
    "UNIMPLEMENTED",
    "not_found",
  ],
  [
    "an unknown service",
    { ":path": "/no.such.encoding/Ask" },
    framed(requestOf("x")),
    "UNIMPLEMENTED",
    "not_found",
  ],
  [
    "a path that is none",
    { ":path": "/%ff/\u00fc?x" },
    framed(requestOf("x")),
    "UNIMPLEMENTED",
    "not_found",
  ],
  ["too large a message", {}, large, "RESOURCE_EXHAUSTED", "body_too_large"],
  [
    "an unknown compression",
    { "grpc-encoding": "br" },
    gzipped,
    "UNIMPLEMENTED",
    "content_encoding_unsupported",
  ],
  ["a broken compression", { "grpc-encoding": "gzip" }, gzipped, "INTERNAL", "bad_request"],
  [
    "a deadline of no form",
    { "grpc-timeout": "soon" },
    framed(requestOf("x")),
    "INTERNAL",
    "bad_request",
  ],
  [
    "a deadline that passes",
    { "grpc-timeout": "50m" },
    framed(requestOf("x")),
    "DEADLINE_EXCEEDED",
    "deadline_passed",
  ],
  ["no message", {}, Buffer.alloc(0), "UNIMPLEMENTED", "bad_request"],
  [
    "the health of what there is not",
    { ":path": HEALTH },
    unknownService,
    "NOT_FOUND",
    "not_found",
  ],
  [
    "too large a question to health",
    { ":path": HEALTH },
    large,
    "RESOURCE_EXHAUSTED",
    "body_too_large",
  ],
  ["two messages to health", { ":path": HEALTH }, twice, "INVALID_ARGUMENT", "bad_request"],
];

test.each(rows)("%s", async (_name, headers, bytes, code, errorCode) => {
  const { parley } = await startGrpc({ MAX_BODY_BYTES: "65536" }, { behaviour: stallAfterHeaders });
  const session = await openSession(parley.ports.grpc ?? 0);
  const stream = openAsk(session, { "accept-language": "ru", ...headers });
  let end: IncomingHttpHeaders = {};
  for (const event of ["response", "trailers"]) {
    stream.on(event, (told: IncomingHttpHeaders) => {
      if (told["grpc-status"] !== undefined) end = told;
    });
  }
  stream.end(bytes);
  await statusOf(stream);
  session.destroy();
  expect(status[Number(end["grpc-status"])]).toBe(code);
  expect(end).toMatchObject({ "error-code": errorCode, "x-request-id": expect.any(String) });
  expect(decodeURI(String(end["grpc-message"]))).toMatch(/^[А-ЯЁ].*\.$/);
  const line = await parley.logged(String(end["x-request-id"]));
  expect(JSON.parse(line)).toMatchObject({ route: "ask grpc", method: "GRPC" });
});
