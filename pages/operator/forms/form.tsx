import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../../shared/texts.ts";
import { Leaving } from "./leaving.tsx";
import type { FormState } from "./use-form.ts";

interface DraftFormProps {
  readonly form: FormState;
  /** What the button does. */
  readonly action: string;
  /** Where "cancel" leads. */
  readonly back: string;
  readonly children: ComponentChildren;
}

/** Fields, what is wrong with them, and the way on or back. */
export function DraftForm({ form, action, back, children }: DraftFormProps) {
  const place = useRef<HTMLFormElement>(null);
  useEffect(
    () => place.current?.querySelector<HTMLElement>("input, select, textarea")?.focus(),
    [],
  );
  return (
    <>
      <form
        ref={place}
        class="draft"
        noValidate
        onSubmit={form.submit}
        onInput={form.look}
        onKeyUp={form.look}
        onFocusOut={form.look}
        aria-busy={form.isBusy}
      >
        <Summary form={form} />
        {children}
        <div class="row ends">
          <button type="submit" class="main" aria-disabled={form.isBusy}>
            {action}
          </button>
          <a href={back}>{t("operator.form.cancel")}</a>
        </div>
      </form>
      <Leaving words={t("operator.form.unsaved")} />
    </>
  );
}

/** Takes the focus, and opens what the field is folded into. */
function Summary({ form }: { readonly form: FormState }) {
  const { denied } = form;
  const place = useRef<HTMLDivElement>(null);
  const field = denied?.field?.split(/[.[]/, 1)[0] ?? "";
  useEffect(() => {
    if (denied === null) return;
    unfold(document.getElementById(form.idOf(field)));
    place.current?.focus();
  }, [denied]);
  if (denied === null) return null;
  return (
    <div class="summary warning" role="alert" tabIndex={-1} ref={place}>
      <p>{denied.message}</p>
      {field in form.draft && (
        <button
          type="button"
          class="plain"
          onClick={() => document.getElementById(form.idOf(field))?.focus()}
        >
          {t("operator.form.to_field")}
        </button>
      )}
    </div>
  );
}

function unfold(element: Element | null): void {
  for (let one = element?.closest("details"); one; one = one.parentElement?.closest("details")) {
    one.open = true;
  }
}
