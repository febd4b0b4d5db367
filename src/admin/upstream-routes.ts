import { readJson } from "../http/body/body.ts";
import type { AppContext } from "../http/call/request-context.ts";
import { respondJson } from "../http/reply/json-response.ts";
import type { Admin } from "./operations.ts";
import { optionalBody } from "./optional-body.ts";
import type { upstreamDocs } from "./upstream-docs.ts";

type Handlers = Readonly<Record<keyof typeof upstreamDocs, (c: AppContext) => Promise<Response>>>;

/** The operations on upstreams and routes over HTTP. */
export function upstreamHandlers({ upstreams, routes }: Admin, maxBodyBytes: number): Handlers {
  const body = (c: AppContext) => readJson(c.env.incoming, maxBodyBytes);
  const named = (c: AppContext) => c.req.param("name") ?? "";
  const model = (c: AppContext) => c.req.param("model") ?? "";
  return {
    "POST /upstreams": async (c) => respondJson(c, 201, await upstreams.add(await body(c))),
    "GET /upstreams": async (c) => respondJson(c, 200, await upstreams.list()),
    "GET /upstreams/:name": async (c) => respondJson(c, 200, await upstreams.show(named(c))),
    "PATCH /upstreams/:name": async (c) =>
      respondJson(c, 200, await upstreams.update(named(c), await body(c))),
    "DELETE /upstreams/:name": async (c) => respondJson(c, 200, await upstreams.remove(named(c))),
    "POST /upstreams/:name/test": async (c) => {
      const given = await optionalBody(c, maxBodyBytes);
      return respondJson(c, 200, await upstreams.test(named(c), given));
    },
    "GET /routes": async (c) => respondJson(c, 200, await routes.list()),
    "GET /routes/:model{.+}": async (c) => respondJson(c, 200, await routes.show(model(c))),
    "PUT /routes/:model{.+}": async (c) =>
      respondJson(c, 200, await routes.set(model(c), await body(c))),
    "DELETE /routes/:model{.+}": async (c) => respondJson(c, 200, await routes.remove(model(c))),
  };
}
