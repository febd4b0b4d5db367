import type { Clock } from "../core/ports.ts";
import { type Inside, lookInside } from "../doctor/inside.ts";
import { createSay, reportsOf } from "../doctor/report.ts";
import { readJson } from "../http/body/body.ts";
import type { AppContext } from "../http/call/request-context.ts";
import { ALREADY_SENT, EVENT_STREAM_HEADERS } from "../http/reply/event-stream.ts";
import { respondJson } from "../http/reply/json-response.ts";
import { type ResponseHeaders, respond, responseHeaders } from "../http/reply/response-headers.ts";
import type { Translate } from "../locales.ts";
import { type doctorDocs, doctorSchemas } from "./doctor-docs.ts";
import { createDoctorStreams } from "./doctor-streams.ts";
import { parseFields } from "./fields.ts";

/** What the server knows of itself. */
export interface InstanceFacts {
  /** Of this process alone. */
  readonly instance: string;
  readonly version: string;
  /** A keyed hash: equal where the settings are. */
  readonly settings: string;
  instances(): number;
  readonly sharesLimits: boolean;
  areLimitsUp(): boolean;
  /** Rejects if the database takes no writes. */
  pingDatabase(): Promise<void>;
  /** What this server sees of itself. */
  inside(): Promise<Inside>;
}

export interface DoctorRouteOptions {
  readonly facts: InstanceFacts;
  readonly clock: Clock;
  readonly maxBodyBytes: number;
  readonly translate: Translate;
}

type Handlers = Readonly<Record<keyof typeof doctorDocs, (c: AppContext) => Promise<Response>>>;

const TICKS = 20;
const EVERY_MS = 50;
const MS_PER_SECOND = 1_000;

/** Headers that clients depend on, with values that mean nothing. */
const SAMPLES: ResponseHeaders = {
  "retry-after": "7",
  "retry-after-ms": "7000",
  "x-should-retry": "false",
  "x-parley-upstream": "doctor",
  ratelimit: '"doctor";r=1;t=1',
  "ratelimit-policy": '"doctor";q=1;w=1',
};

/** The routes that `parley doctor` calls through the public address. */
export function doctorHandlers(options: DoctorRouteOptions): Handlers {
  const { facts, clock, maxBodyBytes } = options;
  const streams = createDoctorStreams(clock);
  return {
    "GET /doctor/request": async (c) => respondArrival(c),
    "POST /doctor/body": async (c) => {
      const { incoming } = c.env;
      let bytes = 0;
      incoming.on("data", (piece: Buffer) => {
        bytes += piece.length;
      });
      parseFields(doctorSchemas.body, await readJson(incoming, maxBodyBytes));
      return respondJson(c, 200, { bytes });
    },
    "GET /doctor/stream": async (c) => {
      const asked = parseFields(doctorSchemas.stream, c.req.query());
      const { id = "", silent_seconds: silent = 0 } = asked;
      const { incoming, outgoing, context } = c.env;
      const headers = responseHeaders(context, "");
      if (incoming.method === "HEAD") {
        // a Response would claim a length of 0
        outgoing.writeHead(200, { ...headers, ...EVENT_STREAM_HEADERS }).end();
        return ALREADY_SENT;
      }
      const ticks = silent === 0 ? (asked.ticks ?? TICKS) : 2;
      const everyMs = silent === 0 ? (asked.every_ms ?? EVERY_MS) : silent * MS_PER_SECOND;
      streams.start(outgoing, headers, { id, ticks, everyMs });
      return ALREADY_SENT;
    },
    "GET /doctor/streams/:id": async (c) => {
      const { state, secondsAgo } = streams.endOf(c.req.param("id") ?? "");
      return respondJson(c, 200, { state, seconds_ago: secondsAgo });
    },
    "GET /doctor/checks": async (c) => {
      const say = createSay(options.translate, c.env.context.language);
      const checks = reportsOf({ checks: lookInside(await facts.inside()), proxies: [] }, say);
      const named = checks.map((one) => ({ ...one, name: say(`check.${one.id}`) }));
      return respondJson(c, 200, { checks: named });
    },
    "GET /doctor/instance": async (c) => {
      const { instance, version, settings, sharesLimits, pingDatabase } = facts;
      const startedMs = clock.monotonicMs();
      const isUp = await pingDatabase().then(
        () => true,
        () => false,
      );
      return respondJson(c, 200, {
        instance,
        version,
        settings,
        instances: facts.instances(),
        shares_limits: sharesLimits,
        limits_up: facts.areLimitsUp(),
        database_ms: isUp ? Math.round(clock.monotonicMs() - startedMs) : null,
        at: new Date(clock.wallMs()).toISOString(),
      });
    },
  };
}

function respondArrival(c: AppContext): Response {
  const { incoming, context } = c.env;
  const { "x-forwarded-for": hops = [] } = incoming.headers;
  const list = [hops].flat().join(", ");
  const body = {
    headers: Object.keys(incoming.headers).toSorted(),
    forwarded_for: list === "" ? null : list,
    peer: context.client.peer,
    address: context.client.address,
    sent: [...Object.keys(SAMPLES), "x-request-id", "content-language"],
  };
  const headers = responseHeaders(context, "application/json; charset=utf-8");
  return respond(200, JSON.stringify(body), { ...headers, ...SAMPLES });
}
