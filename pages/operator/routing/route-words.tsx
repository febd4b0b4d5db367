import { currentLanguage, t } from "../../shared/texts.ts";
import type { Stages, Target } from "./routing.ts";

/** "70 % to a (gpt-4o), 30 % to b (gpt-4o), then to c (gpt-4o)". */
export function RouteWords({ stages }: { readonly stages: Stages }) {
  const words = stages.map((targets, index) => {
    const each = targets.map((target) => targetWords(target, targets));
    const shared = each.join(t("operator.routing.and"));
    return index === 0 ? shared : t("operator.routing.then", { targets: shared });
  });
  return <span class="long">{words.join(t("operator.routing.comma"))}</span>;
}

function targetWords(target: Target, targets: readonly Target[]): string {
  const name = t("operator.routing.target", { upstream: target.upstream, model: target.model });
  const total = targets.reduce((sum, { weight }) => sum + Number(weight), 0);
  if (targets.length === 1 || !(total > 0)) return name;
  const share = new Intl.NumberFormat(currentLanguage(), {
    style: "percent",
    maximumFractionDigits: 1,
  }).format(Number(target.weight) / total);
  return t("operator.routing.share", { share, target: name });
}
