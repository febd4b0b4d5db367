/** Metadata and messages that nobody would send over gRPC. */
import type { ClientHttp2Session, IncomingHttpHeaders } from "node:http2";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { freePort } from "../support/free-port.ts";
import { framed, openAsk, openSession, requestOf, statusOf } from "../support/grpc-raw.ts";
import { deadline } from "../support/http.ts";
import { startPair } from "../support/pair.ts";
import type { ParleyProcess } from "../support/process.ts";
import { FUZZ_MS, REQUESTS, SEED } from "./support/sizes.ts";
import { oddText } from "./support/values.ts";

const CALLS = Math.ceil(REQUESTS / 16);
const AT_A_TIME = 16;
const STALL_MS = 4_000;

let parley: ParleyProcess;
let port: number;
beforeAll(async () => {
  port = await freePort();
  const env = { GRPC_PORT: String(port), MAX_BODY_BYTES: "65536" };
  ({ parley } = await startPair(env));
}, FUZZ_MS);

interface FuzzedCall {
  readonly headers: Record<string, string>;
  readonly bytes: Uint8Array;
}

/** One field of a message: its number, its type on the wire, and what follows. */
const field = fc
  .tuple(
    fc.integer({ min: 0, max: 15 }),
    fc.constantFrom(2, 2, 2, 0, 1, 3, 5, 7),
    oddText,
    fc.nat(127),
  )
  .map(([number, type, text, plain]) => {
    const head = Buffer.of((number << 3) | type);
    if (type !== 2) return Buffer.concat([head, Buffer.of(plain)]);
    const bytes = Buffer.from(text).subarray(0, 127);
    return Buffer.concat([head, Buffer.of(bytes.length), bytes]);
  });
const message = fc.oneof(
  { arbitrary: fc.constant(requestOf("hi")), weight: 2 },
  { arbitrary: fc.array(field, { maxLength: 6 }).map((all) => Buffer.concat(all)), weight: 6 },
  { arbitrary: fc.uint8Array({ maxLength: 100 }).map((one) => Buffer.from(one)), weight: 1 },
);
const frame = fc.oneof(
  { arbitrary: message.map((one) => framed(one)), weight: 10 },
  {
    arbitrary: fc.tuple(message, fc.nat(200_000)).map(([one, length]) => framed(one, length)),
    weight: 1,
  },
  {
    arbitrary: message.map((one) => Buffer.concat([Buffer.of(1), framed(one).subarray(1)])),
    weight: 1,
  },
  { arbitrary: message.map((one) => Buffer.concat([framed(one), framed(one)])), weight: 1 },
  { arbitrary: fc.uint8Array({ maxLength: 60 }).map((one) => Buffer.from(one)), weight: 1 },
);

const visible = fc
  .array(fc.integer({ min: 0x21, max: 0x7e }), { maxLength: 40 })
  .map((codes) => String.fromCharCode(...codes));
const PATHS = [
  "/chat.Chat/Ask",
  "/grpc.health.v1.Health/Check",
  "/grpc.health.v1.Health/List",
  "/no.Such/Method",
  "/",
];
const metadata = fc.dictionary(
  fc.constantFrom(
    ...["authorization", "access-token", "api-key", "accept-language", "x-forwarded-for"],
    ...["grpc-timeout", "grpc-encoding", "grpc-accept-encoding", "user-agent", "x-any", "x-bin"],
  ),
  fc.oneof(
    visible,
    fc.constantFrom("gzip", "1S", "0n", "99999999H", "parley-x", "ru", "127.0.0.1"),
  ),
  { maxKeys: 4 },
);
const call: fc.Arbitrary<FuzzedCall> = fc
  .record({
    path: fc.oneof(
      { arbitrary: fc.constant(PATHS[0] ?? ""), weight: 5 },
      fc.constantFrom(...PATHS),
    ),
    metadata: fc.oneof(fc.constant({}), metadata),
    bytes: frame,
  })
  .map(({ path, metadata: more, bytes }) => ({ headers: { ":path": path, ...more }, bytes }));

async function faultOf(
  session: ClientHttp2Session,
  { headers, bytes }: FuzzedCall,
): Promise<string | null> {
  const stream = openAsk(session, headers);
  let end: IncomingHttpHeaders = {};
  for (const event of ["response", "trailers"]) {
    stream.on(event, (told: IncomingHttpHeaders) => {
      if (told["grpc-status"] !== undefined) end = told;
    });
  }
  stream.end(bytes);
  const told = await deadline(statusOf(stream), STALL_MS, "a status").catch(String);
  const code = end["error-code"];
  if (told === "grpc 0") return null;
  if (code === undefined || code === "internal") return `${told} ${code}`;
  return end["x-request-id"] === undefined ? `${told} ${code} without an id` : null;
}

test(
  `${CALLS} calls with odd metadata and messages end in a status of ours`,
  async () => {
    process.stdout.write(`fuzz grpc: seed ${SEED}\n`);
    const calls = fc.sample(call, { numRuns: CALLS, seed: SEED }).values();
    const faults: string[] = [];
    const work = async () => {
      const session = await openSession(port);
      for (const one of calls) {
        const fault = await faultOf(session, one);
        if (fault !== null) {
          const bytes = Buffer.from(one.bytes).toString("hex");
          faults.push(`${fault}: ${JSON.stringify(one.headers)} ${bytes}`);
        }
      }
      session.destroy();
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, work));
    expect(faults.slice(0, 5)).toEqual([]);
    expect(parley.output.filter((line) => /"level":50|unexpected error/.test(line))).toEqual([]);
    expect(parley.stderr()).toBe("");
    const session = await openSession(port);
    const good = openAsk(session);
    good.end(framed(requestOf("hi")));
    expect(await statusOf(good)).toBe("grpc 0");
    session.destroy();
    expect(await parley.metric("parley_open_calls")).toBe(0);
  },
  FUZZ_MS,
);
