import type { ComponentType } from "preact";
import { CallsView } from "./calls.tsx";
import { ChangesView } from "./changes.tsx";
import { GroupsView } from "./groups.tsx";
import { OverviewView } from "./overview.tsx";
import { PricesView } from "./prices.tsx";
import { RoutingView } from "./routing.tsx";
import { SystemView } from "./system.tsx";
import { TokensView } from "./tokens.tsx";

interface View {
  /** Its first word in the fragment, and its name in `operator.view` of the locales. */
  readonly name: string;
  readonly View: ComponentType<ViewProps>;
}

export interface ViewProps {
  /** The words after the view's name in the fragment. */
  readonly rest: readonly string[];
}

/** In the order of the side bar; the first one is shown at the start. */
export const views: readonly [View, ...View[]] = [
  { name: "overview", View: OverviewView },
  { name: "tokens", View: TokensView },
  { name: "groups", View: GroupsView },
  { name: "prices", View: PricesView },
  { name: "routing", View: RoutingView },
  { name: "calls", View: CallsView },
  { name: "changes", View: ChangesView },
  { name: "system", View: SystemView },
];
