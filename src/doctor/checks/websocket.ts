import { randomBytes } from "node:crypto";
import { request } from "node:http";
import { request as secure } from "node:https";
import { type Finding, fault, ok, type RunCheck, warning } from "../check.ts";
import { below } from "../public-call.ts";

const TIMEOUT_MS = 8_000;
const KEY_BYTES = 16;
/** A ping with the text "ping" under a mask of zeros, which leaves it as it is. */
const PING = Buffer.from([0x89, 0x84, 0, 0, 0, 0, 0x70, 0x69, 0x6e, 0x67]);
const PONG = 0x8a;

/** Do handshakes pass, and do frames, both ways? */
export const checkWebSocket: RunCheck = async ({ url, local }) => {
  const findings = [judged(await shaken(below(url, "/ask")), below(url, "").pathname)];
  if (local.wsPort !== null) {
    const other = new URL(url);
    other.port = String(local.wsPort);
    const seen = await shaken(other);
    if (seen !== "pong") findings.push(warning("websocket_port", { port: local.wsPort }));
  }
  return findings;
};

function judged(seen: number | "pong" | "silent", pathname: string): Finding {
  if (seen === "pong") return ok("websocket_ok");
  if (seen === "silent") return fault("websocket_silent");
  return fault("websocket_refused", { status: seen, path: pathname.replace(/\/$/, "") });
}

/** The status of a refusal, or what came of a ping. */
function shaken(url: URL): Promise<number | "pong" | "silent"> {
  const headers = {
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": randomBytes(KEY_BYTES).toString("base64"),
  };
  return new Promise((resolve) => {
    const ask = url.protocol === "https:" ? secure : request;
    const sent = ask(url, { agent: false, headers });
    const end = (seen: number | "pong" | "silent") => {
      clearTimeout(late);
      sent.destroy();
      resolve(seen);
    };
    const late = setTimeout(end, TIMEOUT_MS, "silent");
    sent.once("response", ({ statusCode = 0 }) => end(statusCode));
    sent.once("upgrade", (_response, socket) => {
      socket.on("error", () => end("silent"));
      socket.once("close", () => end("silent"));
      socket.on("data", (frame: Buffer) => {
        if (frame[0] !== PONG) return;
        socket.destroy();
        end("pong");
      });
      socket.write(PING);
    });
    sent.on("error", () => end("silent"));
    sent.end();
  });
}
