import { t } from "../../shared/texts.ts";
import type { TokenState } from "./token.ts";

export function StateMark({ state }: { readonly state: TokenState }) {
  return (
    <span class={state === "valid" ? "mark good" : "mark"}>{t(`operator.tokens.is.${state}`)}</span>
  );
}
