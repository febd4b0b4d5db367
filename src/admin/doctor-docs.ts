import { z } from "zod";
import type { Route, RouteDoc } from "../http/dialect.ts";
import { count, field, plainText, wrongType } from "./fields.ts";

/** Longest stream of ticks: 20 s. */
const MAX_TICKS = 200;
const MAX_EVERY_MS = 1_000;
/** Longer than any proxy's usual cut-off that is worth knowing. */
const MAX_SILENT_SECONDS = 130;
const MAX_ID_CHARACTERS = 64;

export const doctorSchemas = {
  stream: z.strictObject({
    id: plainText(MAX_ID_CHARACTERS).optional(),
    ticks: count(MAX_TICKS).optional(),
    every_ms: count(MAX_EVERY_MS).optional(),
    silent_seconds: count(MAX_SILENT_SECONDS).optional(),
  }),
  body: z.strictObject({
    text: field({ type: "string" }, (given) =>
      typeof given === "string" ? { value: given } : wrongType("string"),
    ),
  }),
};

const limited = ["field_too_long", "field_unknown"] as const;

/** What `parley doctor` calls through the public address, by method and path below /admin. */
export const doctorDocs = {
  "GET /doctor/request": {
    summary: "Shows how a request arrived: its size in headers, its way, and who it came from",
    description: "For `parley doctor`. The response carries the headers that clients depend on.",
    answer: z.object({
      headers: z.array(z.string()).describe("Names only"),
      forwarded_for: z.string().nullable().describe("X-Forwarded-For as it arrived"),
      peer: z.string(),
      address: z.string(),
      sent: z.array(z.string()).describe("Names of the headers that this response carries"),
    }),
  },
  "POST /doctor/body": {
    summary: "Tells how many bytes of a body arrived",
    description: "For `parley doctor`. The body is not kept.",
    body: doctorSchemas.body,
    example: { text: "hello" },
    answer: z.object({ bytes: z.int() }),
    fails: limited,
  },
  "GET /doctor/stream": {
    summary: "Streams ticks, or one tick, a silence and another tick",
    description:
      "For `parley doctor`. Sends no heartbeat. Without `ticks` there are 20, 50 ms apart.",
    query: doctorSchemas.stream,
    answer: z.string(),
    answerType: "text/event-stream",
    fails: ["overloaded", ...limited],
  },
  "GET /doctor/streams/:id": {
    summary: "Tells whether the client of a stream has left, and when",
    params: { id: z.string().meta({ example: "0b6f" }) },
    answer: z.object({
      state: z.enum(["open", "left", "ended", "unknown"]),
      seconds_ago: z.number().nullable(),
    }),
  },
  "GET /doctor/checks": {
    summary: "What `parley doctor` would say of database, instances and settings",
    description: "In the language of the request. For the rest it has to run outside.",
    answer: z.object({
      checks: z.array(
        z.object({
          id: z.enum(["storage", "copies", "safety"]),
          status: z.enum(["ok", "warning", "fault", "skipped"]),
          name: z.string(),
          seen: z.string(),
          means: z.string().describe("Empty if all is well"),
          mend: z.string().describe("Empty if all is well"),
        }),
      ),
    }),
  },
  "GET /doctor/instance": {
    summary: "Shows which instance answers, and what instances must have in common",
    answer: z.object({
      instance: z.string(),
      version: z.string(),
      settings: z.string().describe("A keyed hash of the settings"),
      instances: z.int().describe("Alive on this database"),
      shares_limits: z.boolean(),
      limits_up: z.boolean(),
      database_ms: z.number().nullable().describe("Null: it takes no writes"),
      at: z.iso.datetime(),
    }),
  },
} as const satisfies Readonly<Record<`${Route["method"]} /${string}`, RouteDoc>>;
