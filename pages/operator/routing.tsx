import { RoutingLists } from "./routing/lists.tsx";
import { RoutePage } from "./routing/route.tsx";
import { UpstreamPage } from "./routing/upstream.tsx";
import { CreateUpstream, EditUpstream } from "./routing/upstream-form.tsx";
import type { ViewProps } from "./views.ts";

/**
 * `#/routing`, `#/routing/upstream`, `#/routing/upstream/NAME`, `#/routing/edit/NAME`, `#/routing/route`
 * and `#/routing/route/MODEL`.
 */
export function RoutingView({ rest: [first, name] }: ViewProps) {
  if (first === "route") return <RoutePage key={name ?? ""} model={name ?? null} />;
  if (first === "edit" && name !== undefined) return <EditUpstream key={name} name={name} />;
  if (first !== "upstream") return <RoutingLists />;
  return name === undefined ? <CreateUpstream /> : <UpstreamPage key={name} name={name} />;
}
