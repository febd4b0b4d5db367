import { lookup } from "node:dns/promises";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { reasonOf } from "../../core/reason.ts";
import { type Finding, fault, ok, type World, warning } from "../check.ts";
import { callPublic } from "../public-call.ts";

const CONNECT_MS = 3_000;
const MAX_ADDRESSES = 8;
const DAY_MS = 86_400_000;
/** Renewals happen a month before the end. */
const MIN_DAYS_LEFT = 14;
const MAX_SKEW_SECONDS = 30;
/** This machine has no way there, which says nothing about others. */
const NO_ROUTE = new Set(["ENETUNREACH", "EADDRNOTAVAIL", "EAFNOSUPPORT"]);
const LOCAL = /^(?:localhost|127\.[\d.]+|\[::1\]|10\.[\d.]+|192\.168\.[\d.]+|[^.:]+)$/;

/** Does the name lead here, over each address, with a valid certificate? */
export async function checkName({ url, clock }: World): Promise<readonly Finding[]> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const addresses = await lookup(host, { all: true }).catch(() => []);
  if (addresses.length === 0) return [fault("name_unknown", { host })];
  const port = Number(url.port || (url.protocol === "https:" ? 443 : 80));
  const names = [...new Set(addresses.map(({ address }) => address))].slice(0, MAX_ADDRESSES);
  const reached = await Promise.all(names.map((address) => reach(address, port)));
  // of the two addresses of localhost, one is enough
  const isLocal = LOCAL.test(url.hostname);
  const dead = names.filter((_, at) => reached[at] === "dead" && !isLocal);
  if (!reached.includes("alive")) {
    return [fault("name_nobody", { addresses: names.join(", "), port })];
  }
  const findings = dead.map((address) => fault("name_address_dead", { address, port }));
  const secured = url.protocol === "https:" ? await certificate(host, port, clock.wallMs()) : [];
  if (secured.some(({ status }) => status === "fault")) return [...findings, ...secured];
  const more = url.protocol === "https:" ? await insecure(url) : unsecured(url);
  const all = [...findings, ...secured, ...more, ...(await skew(url, clock.wallMs()))];
  return all.length > 0 ? all : [ok("name_ok", { addresses: names.join(", ") })];
}

function reach(host: string, port: number): Promise<"alive" | "dead" | "unknown"> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (how: "alive" | "dead" | "unknown") => {
      socket.destroy();
      resolve(how);
    };
    socket.setTimeout(CONNECT_MS, () => end("dead"));
    socket.once("connect", () => end("alive"));
    socket.once("error", ({ code = "" }: NodeJS.ErrnoException) =>
      end(NO_ROUTE.has(code) ? "unknown" : "dead"),
    );
  });
}

function certificate(host: string, port: number, nowMs: number): Promise<readonly Finding[]> {
  return new Promise((resolve) => {
    const socket = connectTls({ host, port, servername: /^[\d.]+$|:/.test(host) ? "" : host });
    const end = (findings: readonly Finding[]) => {
      socket.destroy();
      resolve(findings);
    };
    socket.setTimeout(CONNECT_MS, () => end([fault("name_no_tls", { host, port })]));
    socket.once("error", (error) => end([fault("name_certificate", { reason: reasonOf(error) })]));
    socket.once("secureConnect", () => {
      const untilMs = Date.parse(socket.getPeerCertificate().valid_to);
      const days = Math.floor((untilMs - nowMs) / DAY_MS);
      end(days < MIN_DAYS_LEFT ? [warning("name_expiring", { days })] : []);
    });
  });
}

function unsecured({ hostname }: URL): readonly Finding[] {
  return LOCAL.test(hostname) ? [] : [warning("name_plain")];
}

/** A refused connection is as good as a redirect. */
async function insecure(url: URL): Promise<readonly Finding[]> {
  if (url.port !== "") return [];
  const plain = new URL(url);
  plain.protocol = "http:";
  const answer = await callPublic(plain, { timeoutMs: CONNECT_MS }).catch(() => null);
  const isOpen = answer !== null && answer.status < 300;
  return isOpen ? [warning("name_no_redirect")] : [];
}

async function skew(url: URL, nowMs: number): Promise<readonly Finding[]> {
  const answer = await callPublic(url, { method: "HEAD", timeoutMs: CONNECT_MS }).catch(() => null);
  const seconds = Math.round(Math.abs(Date.parse(answer?.headers.date ?? "") - nowMs) / 1_000);
  return seconds > MAX_SKEW_SECONDS ? [warning("name_clock", { seconds })] : [];
}
