import { t } from "../../shared/texts.ts";
import type { TokenState } from "./token.ts";

export function StateMark({ state }: { readonly state: TokenState }) {
  return (
    <span class={state === "valid" ? "now good" : "now"}>{t(`operator.tokens.is.${state}`)}</span>
  );
}
