import { useState } from "preact/hooks";
import { CopyButton } from "../../shared/copy.tsx";
import { t } from "../../shared/texts.ts";
import type { Denied } from "../api.ts";
import { Problem } from "../problem.tsx";
import { SecretField } from "./secret-field.tsx";
import { setUp } from "./session.ts";
import { generateToken, MIN_CHARACTERS, strengthOf } from "./strength.ts";

interface SetupProps {
  readonly code: string;
  readonly onEnter: () => void;
}

/** The first start: whoever has the link from the log chooses the operator's token. */
export function SetupForm({ code, onEnter }: SetupProps) {
  const [token, setToken] = useState("");
  const [again, setAgain] = useState("");
  const [generated, setGenerated] = useState("");
  const [problem, setProblem] = useState<Denied | null>(null);
  const [isAsking, setAsking] = useState(false);
  const differs = again !== "" && again !== token;
  const isReady = token !== "" && again === token && strengthOf(token) !== "short";
  const send = () => {
    if (!isReady || isAsking) return;
    setAsking(true);
    setUp(code, token)
      .then(onEnter, setProblem)
      .finally(() => setAsking(false));
  };
  const generate = () => {
    const made = generateToken();
    setGenerated(made);
    setToken(made);
    setAgain(made);
  };
  const fieldProblem = problem?.field === "token" ? problem.message : "";
  return (
    <form
      class="gate"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <h1>{t("operator.setup.title")}</h1>
      <p>{t("operator.setup.about")}</p>
      <SecretField
        focused={0}
        isNew
        label={t("operator.setup.token")}
        note={t(`operator.setup.${token === "" ? "rule" : strengthOf(token)}`, {
          min: MIN_CHARACTERS,
        })}
        wrong={fieldProblem}
        value={token}
        onChange={(value) => {
          setToken(value);
          setGenerated("");
        }}
      />
      <SecretField
        isNew
        label={t("operator.setup.again")}
        wrong={differs ? t("operator.setup.differs") : ""}
        value={again}
        onChange={setAgain}
      />
      <Generated token={generated} onGenerate={generate} />
      <Problem problem={fieldProblem === "" ? problem : null} />
      <button type="submit" class="main" aria-disabled={!isReady || isAsking}>
        {t("operator.setup.enter")}
      </button>
    </form>
  );
}

interface GeneratedProps {
  readonly token: string;
  readonly onGenerate: () => void;
}

function Generated({ token, onGenerate }: GeneratedProps) {
  return (
    <div role="status">
      <button type="button" onClick={onGenerate}>
        {t("operator.setup.generate")}
      </button>
      {token !== "" && (
        <>
          <p>{t("operator.setup.once")}</p>
          <p class="row">
            <code class="secret">{token}</code> <CopyButton text={() => token} />
          </p>
        </>
      )}
    </div>
  );
}
