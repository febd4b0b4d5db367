import { useLayoutEffect, useState } from "preact/hooks";
import { t } from "../../shared/texts.ts";
import { Dialog } from "./dialog.tsx";
import { release, watchLeaving } from "./held.ts";

/** Asks before what is not saved is lost. `words` says what that is. */
export function Leaving({ words }: { readonly words: string }) {
  const [wanted, setWanted] = useState<string | null>(null);
  useLayoutEffect(() => watchLeaving(setWanted), []);
  if (wanted === null) return null;
  return (
    <Dialog title={t("operator.form.leave")} onClose={() => setWanted(null)}>
      <p>{words}</p>
      <div class="row">
        <button type="submit" class="main">
          {t("operator.form.stay")}
        </button>
        <button
          type="button"
          onClick={() => {
            release();
            location.href = wanted;
          }}
        >
          {t("operator.form.go")}
        </button>
      </div>
    </Dialog>
  );
}
