import type { AppContext } from "../http/call/request-context.ts";
import { respondJson } from "../http/reply/json-response.ts";
import type { Admin } from "./operations.ts";
import type { reportDocs } from "./report-docs.ts";

type Handlers = Readonly<Record<keyof typeof reportDocs, (c: AppContext) => Promise<Response>>>;

/** What the operator's page reads, over HTTP. */
export function reportHandlers({ reports }: Pick<Admin, "reports">): Handlers {
  return {
    "GET /calls": async (c) => respondJson(c, 200, await reports.calls(c.req.query())),
    "GET /warnings": async (c) => respondJson(c, 200, await reports.warnings()),
    "GET /changes": async (c) => respondJson(c, 200, await reports.changes(c.req.query())),
    "GET /limits/decisions": async (c) =>
      respondJson(c, 200, await reports.decisions(c.req.query())),
    "GET /usage/series": async (c) => respondJson(c, 200, await reports.series(c.req.query())),
  };
}
