import { t } from "../shared/texts.ts";
import type { Denied } from "./api.ts";

interface ProblemProps {
  readonly problem: Denied | null;
  readonly onAgain?: () => void;
}

/** What the API refused, read out when it appears. */
export function Problem({ problem, onAgain }: ProblemProps) {
  return (
    <div role="alert">
      {problem !== null && (
        <p class="warning">
          {problem.message}{" "}
          {onAgain !== undefined && (
            <button type="button" class="plain" onClick={onAgain}>
              {t("operator.again")}
            </button>
          )}
        </p>
      )}
    </div>
  );
}
