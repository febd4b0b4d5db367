import { useLayoutEffect, useState } from "preact/hooks";
import { t } from "../../shared/texts.ts";
import { Dialog } from "./dialog.tsx";
import { release, watchLeaving } from "./held.ts";

/** Asks before what is not saved is lost. `words` says what that is. */
export function Leaving({ words }: { readonly words: string }) {
  const [wanted, setWanted] = useState<{ readonly go: () => void } | null>(null);
  useLayoutEffect(() => watchLeaving((go) => setWanted({ go })), []);
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
            setWanted(null);
            wanted.go();
          }}
        >
          {t("operator.form.go")}
        </button>
      </div>
    </Dialog>
  );
}
