import { z } from "zod";
import type { RouteDoc } from "../../http/dialect.ts";

export const healthDoc: RouteDoc = {
  summary: "Shows that the process is alive",
  credential: "none",
  answer: z.object({ status: z.literal("ok") }),
  answerExample: { status: "ok" },
};

export const readyDoc: RouteDoc = {
  summary: "Shows whether the server takes calls",
  credential: "none",
  also: { 503: "The same, while the server takes no calls" },
  answerExample: {
    status: "ready",
    checks: { accepting: true, database: true, limits: true },
    degraded: [],
    warnings: [],
  },
  answer: z.object({
    status: z.enum(["ready", "unready", "draining"]),
    checks: z.object({ accepting: z.boolean(), database: z.boolean(), limits: z.boolean() }),
    degraded: z
      .array(z.enum(["limits", "upstreams"]))
      .describe(
        "limits: this instance counts its part of them by itself. upstreams: one of them rests",
      ),
    upstreams: z
      .record(z.string(), z.enum(["closed", "open"]))
      .optional()
      .describe("The breaker of each upstream, if there are several. open: it failed and rests"),
    warnings: z.array(
      z.union([
        z.object({
          code: z.enum(["shared_peer", "untrusted_forwarded"]),
          peer: z.string().nullable(),
          share: z.number(),
          calls: z.int(),
        }),
        z.object({ code: z.literal("limits_apart"), instances: z.int() }),
      ]),
    ),
  }),
};

export const whoamiDoc: RouteDoc = {
  summary: "Shows the caller's address as this server sees it, and the state of its limits",
  credential: "none",
  answerExample: {
    address: "203.0.113.7",
    bucket: "203.0.113.7",
    peer: "203.0.113.7",
    forwarded: "none",
    windows: [{ window: "minute", limit: 60, remaining: 59, reset_seconds: 60 }],
    streams: { open: 0, limit: 0 },
  },
  answer: z.object({
    address: z.string(),
    bucket: z.string().describe("The unit that the limits count by"),
    peer: z.string(),
    forwarded: z.enum(["none", "believed", "ignored"]),
    windows: z.array(
      z.object({
        window: z.enum(["second", "minute", "hour", "day"]),
        limit: z.int(),
        remaining: z.int(),
        reset_seconds: z.int(),
      }),
    ),
    streams: z.object({ open: z.int(), limit: z.int().describe("0: none") }),
  }),
};

/** `access`: a token in an object, or a keyword. */
export function metricsDoc(access: object | string): RouteDoc {
  const withToken = typeof access === "object";
  return {
    summary: withToken ? "Metrics for Prometheus" : "Metrics for Prometheus, from loopback only",
    credential: withToken ? "metrics" : "none",
    fails: withToken ? ["not_found", "attempts_limited"] : ["not_found"],
    answer: z.string(),
    answerType: "text/plain",
  };
}
