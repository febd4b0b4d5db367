import { useLayoutEffect, useRef } from "preact/hooks";
import { ClientSettings } from "../../holder/clients.tsx";
import { CopyButton } from "../../shared/copy.tsx";
import { t } from "../../shared/texts.ts";
import { csvOf } from "./csv.ts";
import { hold, release } from "./held.ts";
import { Leaving } from "./leaving.tsx";

/** A token and its secret, `token`, as the API shows it once. */
export interface MadeToken {
  readonly id: string;
  readonly name: string;
  readonly token: string;
}

interface SecretProps {
  readonly made: readonly MadeToken[];
  /** The reader has stored it. */
  readonly onDone: () => void;
}

/** Nothing keeps these but this part of the page: whoever leaves is asked, and then they are gone. */
export function Secret({ made, onDone }: SecretProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => {
    hold();
    heading.current?.focus();
    return release;
  }, []);
  const [first] = made;
  const isOne = made.length === 1;
  return (
    <section class="secret">
      <h2 tabIndex={-1} ref={heading}>
        {isOne ? first?.name : t("operator.form.secrets", { count: made.length })}
      </h2>
      <p>{t(isOne ? "operator.form.once" : "operator.form.once_all")}</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with keys */}
      <pre tabIndex={0}>{isOne ? first?.token : listOf(made)}</pre>
      <div class="row">
        <CopyButton text={() => (isOne ? (first?.token ?? "") : listOf(made))} />
        {!isOne && (
          <button type="button" class="plain" onClick={() => download(made)}>
            {t("operator.form.csv")}
          </button>
        )}
        <button
          type="button"
          class="main"
          onClick={() => {
            release();
            onDone();
          }}
        >
          {t("operator.form.stored")}
        </button>
      </div>
      {isOne && first !== undefined && <ClientSettings token={first.token} />}
      <Leaving words={t(isOne ? "operator.form.once" : "operator.form.once_all")} />
    </section>
  );
}

function listOf(made: readonly MadeToken[]): string {
  return made.map(({ name, token }) => `${name}\t${token}`).join("\n");
}

/** The address of the file is forgotten at once. */
function download(made: readonly MadeToken[]): void {
  const rows = [["id", "name", "token"], ...made.map(({ id, name, token }) => [id, name, token])];
  const url = URL.createObjectURL(new Blob([csvOf(rows)], { type: "text/csv" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = "tokens.csv";
  link.click();
  URL.revokeObjectURL(url);
}
