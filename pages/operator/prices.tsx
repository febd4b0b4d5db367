import { PricePage } from "./prices/detail.tsx";
import { SetPrice } from "./prices/edit.tsx";
import { ImportPrices } from "./prices/import.tsx";
import { PriceList } from "./prices/list.tsx";
import type { ViewProps } from "./views.ts";

/** `#/prices`, `#/prices/set`, `#/prices/set/MODEL`, `#/prices/import` and `#/prices/model/MODEL`. */
export function PricesView({ rest: [first, model] }: ViewProps) {
  if (first === "import") return <ImportPrices />;
  if (first === "set") return <SetPrice key={model ?? ""} model={model ?? null} />;
  return model === undefined ? <PriceList /> : <PricePage key={model} model={model} />;
}
