import { count } from "../../shared/format.ts";
import { t } from "../../shared/texts.ts";
import { LinesField, TextField, TickField } from "../forms/field.tsx";
import type { FormState } from "../forms/use-form.ts";
import { Fold } from "../tokens/options.tsx";
import type { Upstream } from "./routing.ts";

interface SecretFieldsProps {
  readonly form: FormState;
  readonly upstream: Upstream | null;
  /** Whether SECRET_KEY is set. */
  readonly canSeal: boolean;
}

/** What is stored sealed and never shown again: by number or name only. */
export function SecretFields({ form, upstream, canSeal }: SecretFieldsProps) {
  if (!canSeal) return <p class="notice">{t("operator.form.no_secret_key")}</p>;
  const headers = upstream?.header_names ?? [];
  const keys = upstream?.key_count ?? 0;
  const proxy = upstream?.proxy ?? null;
  const label = (name: string) => t(`operator.routing.of.${name}`);
  return (
    <Fold title={t("operator.routing.secrets")} isOpen={true}>
      <LinesField
        form={form}
        name="keys"
        label={label("keys")}
        hint={
          keys === 0
            ? t("operator.routing.keys_hint")
            : t("operator.routing.keys_kept", { keys: count(keys) })
        }
        isHidden
      >
        {keys > 0 && <TickField form={form} name="drop_keys" label={t("operator.routing.drop")} />}
      </LinesField>
      <LinesField
        form={form}
        name="headers"
        label={label("headers")}
        hint={
          headers.length === 0
            ? t("operator.routing.headers_hint")
            : t("operator.routing.headers_kept", { names: headers.join(", ") })
        }
        isHidden
      >
        {headers.length > 0 && (
          <TickField form={form} name="drop_headers" label={t("operator.routing.drop")} />
        )}
      </LinesField>
      <TextField
        form={form}
        name="proxy"
        label={label("proxy")}
        {...(proxy !== null && { hint: t("operator.routing.proxy_kept", { proxy }) })}
        more={{ inputMode: "url", placeholder: "http://user:password@proxy.example:8080" }}
      >
        {proxy !== null && (
          <TickField form={form} name="drop_proxy" label={t("operator.routing.drop")} />
        )}
      </TextField>
    </Fold>
  );
}
