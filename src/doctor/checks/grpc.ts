import { connect } from "node:http2";
import { reasonOf } from "../../core/reason.ts";
import { ok, type RunCheck, skipped, warning } from "../check.ts";

const TIMEOUT_MS = 8_000;
/** An empty message: its length in four bytes behind a byte that says it is not compressed. */
const EMPTY = Buffer.alloc(5);
/** `status: SERVING` behind such a head. */
const SERVING = Buffer.from([0, 0, 0, 0, 2, 0x08, 0x01]);

/** Does the health service of gRPC answer on its port? */
export const checkGrpc: RunCheck = async ({ url, local }) => {
  const { grpcPort: port, grpcHasTls } = local;
  if (port === null) return [skipped("grpc_unset")];
  const origin = `${grpcHasTls ? "https" : "http"}://${url.hostname}:${port}`;
  const reason = await health(origin);
  return [reason === null ? ok("grpc_ok", { port }) : warning("grpc_unreached", { port, reason })];
};

/** Null if it serves. */
function health(origin: string): Promise<string | null> {
  return new Promise((resolve) => {
    const session = connect(origin);
    const end = (reason: string | null) => {
      clearTimeout(late);
      session.destroy();
      resolve(reason);
    };
    const late = setTimeout(end, TIMEOUT_MS, "no answer");
    session.on("error", (error) => end(reasonOf(error)));
    const stream = session.request({
      ":method": "POST",
      ":path": "/grpc.health.v1.Health/Check",
      "content-type": "application/grpc",
      te: "trailers",
    });
    let got = Buffer.alloc(0);
    stream.on("error", (error) => end(reasonOf(error)));
    stream.on("data", (piece: Buffer) => {
      got = Buffer.concat([got, piece]).subarray(0, SERVING.length);
    });
    stream.once("end", () => end(got.equals(SERVING) ? null : "not serving"));
    stream.end(EMPTY);
  });
}
