import { ProxyError } from "../core/errors.ts";
import { parseRouteText } from "../core/routing/route-text.ts";
import { parseFields } from "./fields.ts";
import type { AdminOptions } from "./operations.ts";
import { upstreamSchemas } from "./upstream-schemas.ts";
import { viewedRoute } from "./upstream-views.ts";

/** What an operator can say of models. */
export function routeOperations({ routing }: Pick<AdminOptions, "routing">) {
  return {
    /** Adds or replaces the route of a model. */
    async set(name: string, given: unknown) {
      const { model } = parseFields(upstreamSchemas.model, { model: name });
      const { to } = parseFields(upstreamSchemas.newRoute, given);
      const route = { model, stages: parseRouteText(to) };
      await routing.setRoute(route);
      return viewedRoute(route);
    },
    list: async () => ({ routes: (await routing.routes()).map(viewedRoute) }),
    async show(model: string) {
      const route = (await routing.routes()).find((one) => one.model === model);
      if (route === undefined) throw new ProxyError("route_unknown");
      return viewedRoute(route);
    },
    async remove(model: string) {
      if (!(await routing.removeRoute(model))) throw new ProxyError("route_unknown");
      return { model, removed: true };
    },
  };
}
