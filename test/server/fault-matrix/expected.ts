/** What each surface must show, by the tables of the documents and not by those of the sources. */
import { expect } from "vitest";
import type { End, Ends, Fault } from "./faults.ts";
import { type Mode, operatorKeyCount, runCells } from "./run-cells.ts";
import type { Kind, Surface } from "./surface.ts";

/** HTTP status and gRPC code of each. */
const codes: Readonly<Record<string, readonly [http: number, grpc: string]>> = {
  upstream_refused: [400, "INVALID_ARGUMENT"],
  upstream_rate_limited: [429, "RESOURCE_EXHAUSTED"],
  upstream_key_rejected: [502, "INTERNAL"],
  upstream_exhausted: [503, "UNAVAILABLE"],
  upstream_failed: [502, "UNAVAILABLE"],
  upstream_unreachable: [502, "UNAVAILABLE"],
  upstream_bad_answer: [502, "INTERNAL"],
  upstream_timeout: [504, "DEADLINE_EXCEEDED"],
  key_rejected: [401, "UNAUTHENTICATED"],
  key_exhausted: [429, "RESOURCE_EXHAUSTED"],
};
/** Anthropic's status for it, which its clients know. */
const OVERLOADED = 529;
/** The operator's key is not the caller's business. */
const hidden: Readonly<Record<string, string>> = {
  key_rejected: "upstream_key_rejected",
  key_exhausted: "upstream_exhausted",
};

/** Asks on each surface of the mode, and compares. */
export async function expectCells(fault: Fault, mode: Mode): Promise<void> {
  const isAffected = ({ kind }: Surface) => fault.only === undefined || fault.only === kind;
  const surfaces = mode.surfaces.filter(isAffected);
  const seen = await runCells(fault, { ...mode, surfaces });
  const wanted = surfaces.map((surface) => [surface.name, expectedOf(fault, surface, mode)]);
  expect(seen).toEqual(Object.fromEntries(wanted));
}

function expectedOf(fault: Fault, surface: Surface, mode: Mode): string {
  const end = endOf(fault.ends, surface.kind);
  const isLate = /^(?:then|cut) /.test(end);
  const own = end.replace(/^(?:then|cut) /, "");
  const code = mode.caller === "token" ? (hidden[own] ?? own) : own;
  if (code.startsWith("answer")) {
    const paid = fault.unsaid === true ? "estimated" : "reported";
    const said = isHttp(surface) ? `200 ${code}` : code;
    return `${said} | completed ${paid} charged | 1 sent | keys ready`;
  }
  const isCut = end.startsWith("cut ");
  const told = isCut ? "200, then nothing" : failureOf(fault, surface, code, isLate);
  const row = rowOf(fault, code === "its words" ? "upstream_failed" : code, isLate);
  return `${told} | ${row} | ${keysOf(fault, mode)}`;
}

const LIKE: Partial<Readonly<Record<Kind, Kind>>> = {
  bytes: "whole",
  "stream of bytes": "relayed",
  translated: "typed",
};

function endOf(ends: Ends, kind: Kind): End {
  if (typeof ends === "string") return ends;
  const like = LIKE[kind];
  return ends[kind] ?? (like && ends[like]) ?? ends.whole;
}

function rowOf({ refused, away }: Fault, code: string, isLate: boolean): string {
  const isFree = refused !== undefined || away !== undefined;
  if (isLate) return `interrupted ${code} estimated charged`;
  return `failed ${code} ${isFree ? "unknown free" : "estimated charged"}`;
}

function keysOf(fault: Fault, { caller, retries }: Mode): string {
  const rests = fault.rests === true && caller === "token";
  const again = (fault.passes === true ? retries : 0) + (fault.resent === true ? 1 : 0);
  if (fault.away !== undefined) return "0 sent | away";
  const sent = (rests ? operatorKeyCount : 1) + again;
  return `${sent} sent | keys ${rests ? "rest" : "ready"}`;
}

const isHttp = ({ name }: Surface) => /JSON|SSE/.test(name);

function failureOf(fault: Fault, surface: Surface, code: string, isLate: boolean): string {
  if (surface.name === "WebSocket, text") return code;
  const told = statusOf(fault, code, surface);
  const wait = fault.retryAfter === undefined ? "" : `, again in ${fault.retryAfter} s`;
  if (surface.name === "gRPC") {
    const status = told === 403 ? "PERMISSION_DENIED" : codes[code]?.[1];
    return `${status} ${code}${wait}`;
  }
  const isOwn = surface.name.startsWith("/v1") && isTold(code);
  const shown = isOwn && fault.wordless !== true ? "its words" : code;
  if (isHttp(surface) && isLate) return `200, then ${shown}`;
  return `${isOwn ? fault.refused : told} ${shown}${wait}`;
}

/** The upstream's words are about the request, or about who pays for it. */
const isTold = (code: string) => code === "upstream_refused" || code === "key_exhausted";

function statusOf({ refused = 0 }: Fault, code: string, { name }: Surface): number | undefined {
  if (refused === OVERLOADED && name.startsWith("/v1/messages")) return OVERLOADED;
  const isOwn = isTold(code) && (refused === 403 || refused === 402);
  return isOwn ? refused : codes[code]?.[0];
}
