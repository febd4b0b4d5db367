import { z } from "zod";
import type { RouteDoc } from "../../http/dialect.ts";

/** What /openapi.json says of the status routes. */
export const healthDoc: RouteDoc = {
  summary: "Tells that the process is alive",
  credential: "none",
  answer: z.object({ status: z.literal("ok") }),
};

export const readyDoc: RouteDoc = {
  summary: "Tells whether calls are taken",
  credential: "none",
  also: { 503: "The same, while no calls are taken" },
  answer: z.object({
    status: z.enum(["ready", "unready", "draining"]),
    checks: z.object({ accepting: z.boolean(), database: z.boolean() }),
    warnings: z.array(
      z.object({
        code: z.enum(["shared_peer", "untrusted_forwarded"]),
        peer: z.string().nullable(),
        share: z.number(),
        calls: z.int(),
      }),
    ),
  }),
};

export const whoamiDoc: RouteDoc = {
  summary: "Shows the caller's address as this server sees it, and how its limits stand",
  credential: "none",
  answer: z.object({
    address: z.string(),
    bucket: z.string().describe("What the limits count by"),
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

export function metricsDoc(access: object | string): RouteDoc {
  const withToken = typeof access === "object";
  return {
    summary: withToken ? "Metrics for Prometheus" : "Metrics for Prometheus, from loopback only",
    credential: withToken ? "metrics" : "none",
    fails: ["not_found"],
    answer: z.string(),
    answerType: "text/plain",
  };
}
