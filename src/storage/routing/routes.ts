import { fieldError } from "../../core/common-errors.ts";
import { ProxyError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import {
  MAX_ROUTES,
  MAX_STAGE_TARGETS,
  MAX_STAGES,
  MAX_WEIGHT,
} from "../../core/routing/bounds.ts";
import { isTargetModel, routeText } from "../../core/routing/route-text.ts";
import {
  DEFAULT_UPSTREAM,
  type ModelRoute,
  type RoutingStore,
} from "../../core/routing/routing.ts";
import { type NewChange, recordChanges } from "../changes/record.ts";
import type { Database } from "../driver/database.ts";
import { isStorable, query, requireStorable, type Transaction } from "../driver/driver.ts";
import type { Builder } from "../driver/queries.ts";
import type { RouteTable } from "../driver/schema.ts";
import type { createVersion } from "./version.ts";

/** What the operator has said of models. */
export function createRoutes(
  { driver, builder }: Database,
  clock: Pick<Clock, "wallMs">,
  version: ReturnType<typeof createVersion>,
): Pick<RoutingStore, "routes" | "setRoute" | "removeRoute"> {
  return {
    routes: () => driver.run(() => allRoutes(builder)),
    async setRoute(route) {
      const row = rowOf(route);
      await driver.transaction(function* (): Transaction<void> {
        yield* version.raise();
        yield* requireUpstreams(builder, route);
        const routes = yield* allRoutes(builder);
        if (routes.length >= MAX_ROUTES && !routes.some(({ model }) => model === route.model)) {
          throw new ProxyError("routing_full", { params: { max: MAX_ROUTES } });
        }
        const { stages } = row;
        const insert = builder.insertInto("routes").values(row);
        const upsert = insert.onConflict((on) => on.column("model").doUpdateSet({ stages }));
        yield* query(upsert.compile());
        const before = routes.find(({ model }) => model === route.model) ?? null;
        yield* recordChanges(builder, clock.wallMs(), [routeChange("set", before, route)]);
      });
    },
    async removeRoute(model) {
      if (!isStorable(model)) return false;
      const remove = builder.deleteFrom("routes").where("model", "=", model).returningAll();
      return driver.transaction(function* () {
        yield* version.raise();
        const [row] = yield* query(remove.compile());
        if (row === undefined) return false;
        const removed = routeChange("remove", routeOf(row), null);
        yield* recordChanges(builder, clock.wallMs(), [removed]);
        return true;
      });
    },
  };
}

function routeChange(
  action: "set" | "remove",
  before: ModelRoute | null,
  after: ModelRoute | null,
): NewChange {
  const facts = (route: ModelRoute | null) => route && { to: routeText(route.stages) };
  const subject = (after ?? before)?.model ?? "";
  return { kind: "route", subject, action, before: facts(before), after: facts(after) };
}

/** By name, which databases would sort in orders of their own. */
export function* allRoutes(builder: Builder): Transaction<readonly ModelRoute[]> {
  const rows = yield* query(builder.selectFrom("routes").select(["model", "stages"]).compile());
  return rows.map(routeOf).toSorted((a, b) => (a.model < b.model ? -1 : 1));
}

/** Every upstream that the route names. */
export function namedUpstreams({ stages }: ModelRoute): ReadonlySet<string> {
  return new Set(stages.flat().map(({ upstream }) => upstream));
}

function* requireUpstreams(builder: Builder, route: ModelRoute): Transaction<void> {
  const rows = yield* query(builder.selectFrom("upstreams").select("name").compile());
  const known = new Set([DEFAULT_UPSTREAM, ...rows.map(({ name }) => name)]);
  const unknown = [...namedUpstreams(route)].find((name) => !known.has(name));
  if (unknown !== undefined) throw fieldError("field_unknown_upstream", "to", { name: unknown });
}

function routeOf({ model, stages }: RouteTable): ModelRoute {
  // Cast: written only by rowOf.
  return { model, stages: JSON.parse(stages) as ModelRoute["stages"] };
}

function rowOf({ model, stages }: ModelRoute): RouteTable {
  const isRight =
    stages.length > 0 &&
    stages.length <= MAX_STAGES &&
    stages.every((stage) => stage.length > 0 && stage.length <= MAX_STAGE_TARGETS);
  if (!isRight) throw fieldError("field_range", "to");
  if (model === "") throw fieldError("field_range", "model");
  const checked = stages.map((stage) =>
    stage.map((target) => {
      const isWeight = Number.isInteger(target.weight) && target.weight >= 1;
      if (!isWeight || target.weight > MAX_WEIGHT || !isTargetModel(target.model)) {
        throw fieldError("field_range", "to");
      }
      const { upstream, weight } = target;
      return { upstream, model: requireStorable("to", target.model), weight };
    }),
  );
  return { model: requireStorable("model", model), stages: JSON.stringify(checked) };
}
