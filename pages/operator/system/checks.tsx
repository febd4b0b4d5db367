import { CopyButton } from "../../shared/copy.tsx";
import { t } from "../../shared/texts.ts";
import { useAsked } from "../asked.ts";
import { Problem } from "../problem.tsx";

interface Check {
  readonly id: string;
  readonly status: "ok" | "warning" | "fault" | "skipped";
  /** Words in the page's language; the last two are empty if all is well. */
  readonly name: string;
  readonly seen: string;
  readonly means: string;
  readonly mend: string;
}

const NOT_FOUND = 404;

/** What `parley doctor` looks at, as far as a server can see it by itself. */
export function Checks() {
  const { answer, problem, isLoading, again } = useAsked<{ readonly checks: readonly Check[] }>(
    "doctor/checks",
  );
  const isAbsent = problem?.status === NOT_FOUND;
  return (
    <section>
      <h2>{t("operator.system.checks")}</h2>
      {isAbsent ? (
        <>
          <p>{t("operator.system.no_checks")}</p>
          <pre>parley doctor</pre>
        </>
      ) : (
        <Problem problem={problem} onAgain={again} />
      )}
      {answer === null && isLoading && <p class="quiet">{t("loading")}</p>}
      {answer !== null && (
        <ul class="checks">
          {answer.checks.map((check) => (
            <CheckItem key={check.id} check={check} />
          ))}
        </ul>
      )}
    </section>
  );
}

function CheckItem({ check: { name, status, seen, means, mend } }: { readonly check: Check }) {
  const isBad = status === "fault" || status === "warning";
  return (
    <li>
      <strong class={isBad ? "warning" : "quiet"}>{t(`operator.system.${status}`)}</strong> {name}:{" "}
      {seen} {means}
      {mend !== "" && (
        <>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with keys */}
          <pre class="mend" tabIndex={0}>
            {mend}
          </pre>
          <CopyButton text={() => mend} />
        </>
      )}
    </li>
  );
}
