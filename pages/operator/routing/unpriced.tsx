import { t } from "../../shared/texts.ts";
import { useAsked } from "../asked.ts";
import { hrefOf } from "../fragment.ts";
import type { PricesAnswer } from "../prices/price.ts";
import type { Stages } from "./routing.ts";

/** A dated name has the price of the name without the date, if it has none. */
const DATE = /-(\d{4}-\d{2}-\d{2}|\d{4})$/;

interface UnpricedProps {
  readonly model: string;
  readonly stages: Stages;
}

/** A token needs a price for every target: that of the target's model, otherwise of the name asked for. */
export function UnpricedTargets({ model, stages }: UnpricedProps) {
  const { answer } = useAsked<PricesAnswer>("prices");
  if (answer === null) return null;
  const priced = new Set(answer.prices.map((price) => price.model));
  const isPriced = (name: string) => priced.has(name) || priced.has(name.replace(DATE, ""));
  const names = stages.flat().map((target) => target.model.trim());
  const missing = [...new Set(names)].filter((name) => name !== "" && !isPriced(name));
  if (missing.length === 0 || isPriced(model.trim())) return null;
  return (
    <p class="notice">
      {t("operator.routing.unpriced")}{" "}
      {missing.map((name) => (
        <a key={name} href={hrefOf("prices", "set", name)}>
          {name}
        </a>
      ))}
    </p>
  );
}
