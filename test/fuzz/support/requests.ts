/** Requests on the wire: a route of the server, with anything in its path, headers and body. */
import fc from "fast-check";
import { type FuzzedRoute, fieldsOf } from "./routes.ts";
import { bodyBytes } from "./values.ts";

export interface FuzzedRequest {
  readonly method: string;
  readonly target: Uint8Array;
  readonly headers: readonly (readonly [string, Uint8Array])[];
  readonly body: Uint8Array;
}

const utf8 = (text: string) => Buffer.from(text, "utf8");
const bytesOf = (text: fc.Arbitrary<string>) => text.map(utf8);

/** What a request line can hold: no blank, no control character. */
const visible = fc
  .array(
    fc.integer({ min: 0x21, max: 0xff }).filter((byte) => byte !== 0x7f),
    { maxLength: 60 },
  )
  .map((codes) => Buffer.from(codes));
const SEGMENTS = [
  "/",
  "api",
  "..",
  ".",
  "//",
  "%00",
  "%2e",
  "%2f",
  "%",
  "%zz",
  "?",
  "#",
  "\\",
  "é",
];
const oddTarget = fc.oneof(
  bytesOf(
    fc.array(fc.constantFrom(...SEGMENTS), { maxLength: 12 }).map((parts) => `/${parts.join("")}`),
  ),
  visible.map((bytes) => Buffer.concat([utf8("/"), bytes])),
  visible,
  bytesOf(fc.webUrl({ withQueryParameters: true })),
  bytesOf(fc.constantFrom("*", "http://[", "http://a:99999/", "//a/b", "/readyz?x=%ff")),
  bytesOf(fc.integer({ min: 100, max: 12_000 }).map((length) => `/${"a".repeat(length)}`)),
);

/** A value for a parameter: as printed, or anything that a path can hold. */
const oddParameter = fc.oneof(
  fc
    .string({ unit: "binary", maxLength: 20 })
    .map((text) => encodeURIComponent(text.toWellFormed())),
  fc.constantFrom("%00", "%ff", "%2e%2e", "..", "__proto__", "new", "%", "a%2Fb"),
  fc.nat(300).map((length) => "x".repeat(length)),
);
const oddQuery = fc.constantFrom(
  "",
  "",
  "",
  "?",
  "?limit=0",
  "?limit=1e9",
  "?after=%00",
  "?by=x&from=-1",
);

function targetOf({ path, params }: FuzzedRoute): fc.Arbitrary<Uint8Array> {
  const named = fc.tuple(fc.option(oddParameter, { nil: null }), oddQuery).map(([odd, query]) => {
    const filled = path.replaceAll(/\{(\w+)\}/g, (_all, name) => odd ?? params.get(name) ?? "some");
    return utf8(filled + query);
  });
  return fc.oneof({ arbitrary: named, weight: 9 }, { arbitrary: oddTarget, weight: 1 });
}

const latin = fc
  .array(fc.oneof(fc.integer({ min: 0x20, max: 0x7e }), fc.integer({ min: 0x80, max: 0xff })), {
    maxLength: 40,
  })
  .map((codes) => Buffer.from(codes));
const named = (names: readonly string[], values: fc.Arbitrary<Uint8Array>) =>
  fc.tuple(fc.constantFrom(...names), values);
const oddHeader = fc.oneof(
  named(["authorization", "api-key", "openai-token", "access-token", "cookie", "accept"], latin),
  named(
    ["authorization"],
    bytesOf(fc.constantFrom("Bearer", "Basic a:b", "bearer sk-bad", "Bearer parley-x")),
  ),
  named(["accept-language"], fc.oneof(latin, bytesOf(fc.constantFrom("ru,*;q=0", ";;q=,,")))),
  named(["x-forwarded-for", "forwarded", "via", "origin", "referer", "idempotency-key"], latin),
  named(["x-http-method-override", "x-request-id", "range", "if-none-match", "te"], latin),
  named(
    ["x-long"],
    fc.integer({ min: 1, max: 9_000 }).map((length) => Buffer.alloc(length, 0xe9)),
  ),
  named(["upgrade"], bytesOf(fc.constantFrom("websocket", "h2c", "", "websocket, h2c"))),
);
const TYPES = [
  ...["application/json; charset=utf-16", "text/plain", "", "application/x-www-form-urlencoded"],
  ...[
    "multipart/form-data; boundary=x",
    "application/ld+json",
    "application/json;;;",
    "json",
    "*/*",
  ],
];
const contentType = fc.oneof(
  { arbitrary: fc.constant(utf8("application/json")), weight: 30 },
  { arbitrary: bytesOf(fc.constantFrom(...TYPES)), weight: 2 },
  { arbitrary: latin, weight: 1 },
);
const encoding = fc.oneof(
  { arbitrary: fc.constant([]), weight: 20 },
  {
    arbitrary: fc
      .constantFrom("identity", "gzip", "br", "x", "")
      .map((text) => [["content-encoding", utf8(text)] as const]),
    weight: 1,
  },
);
const METHODS = ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND", "QUERY"];

/** Nothing where no body is read; else an example with changes, streamed or not. */
function bodyFor({ example }: FuzzedRoute, fields: readonly string[]): fc.Arbitrary<Uint8Array> {
  if (example === undefined) return fc.constant(Buffer.alloc(0));
  if (Array.isArray(example)) return bodyBytes(example, fields);
  const streamed = { ...Object(example), stream: true, generate_params: { stream: true } };
  return fc.oneof(bodyBytes(example, fields), bodyBytes(streamed, fields));
}

/** What the server knows, by the names of security schemes; `bearer`: those of callers. */
export interface Credentials {
  readonly bearer: readonly string[];
  readonly admin: readonly string[];
  readonly metrics: readonly string[];
}

function credentialFor(route: FuzzedRoute, known: Credentials): fc.Arbitrary<string | null> {
  const right = (["admin", "metrics"] as const).find((name) => route.credentials.includes(name));
  const all = Object.values(known).flat();
  return fc.oneof(
    { arbitrary: fc.constantFrom(...known[right ?? "bearer"]), weight: 6 },
    { arbitrary: fc.constantFrom(...all), weight: 1 },
    { arbitrary: fc.constant(null), weight: 1 },
  );
}

/** Requests to any of the routes. */
export function fuzzedRequests(
  routes: readonly FuzzedRoute[],
  credentials: Credentials,
): fc.Arbitrary<FuzzedRequest> {
  const fields = fieldsOf(routes);
  const each = routes.map((route) =>
    fc
      .record({
        method: fc.oneof(
          { arbitrary: fc.constant(route.method), weight: 12 },
          { arbitrary: fc.constantFrom(...METHODS), weight: 1 },
        ),
        target: targetOf(route),
        type: contentType,
        packed: encoding,
        given: credentialFor(route, credentials),
        // each from an address of its own, or wrong tokens would soon close /admin to all
        address: fc.ipV4(),
        odd: fc.oneof(
          { arbitrary: fc.constant([]), weight: 3 },
          { arbitrary: fc.array(oddHeader, { maxLength: 6 }), weight: 1 },
        ),
        body: bodyFor(route, fields),
      })
      .map(({ type, packed, given, address, odd, ...rest }) => ({
        ...rest,
        headers: [
          ["content-type", type] as const,
          ["x-forwarded-for", utf8(address)] as const,
          ...(given === null ? [] : [["authorization", utf8(`Bearer ${given}`)] as const]),
          ...packed,
          ...odd,
        ],
      })),
  );
  // most of what can go wrong is in bodies
  const weighted = each.map((arbitrary, at) => ({
    arbitrary,
    weight: routes[at]?.example ? 5 : 1,
  }));
  return fc.oneof(...weighted);
}

/** One whole request on the wire. */
export function toBytes({ method, target, headers, body }: FuzzedRequest): Buffer {
  const line = utf8("\r\n");
  return Buffer.concat([
    utf8(`${method} `),
    target,
    utf8(` HTTP/1.1\r\nhost: parley.test\r\ncontent-length: ${body.length}\r\n`),
    ...headers.flatMap(([name, value]) => [utf8(`${name}: `), value, line]),
    line,
    body,
  ]);
}
