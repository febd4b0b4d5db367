import { useState } from "preact/hooks";
import { useSecondsUntil } from "../../shared/countdown.ts";
import { inTime } from "../../shared/format.ts";
import { t } from "../../shared/texts.ts";
import type { Denied } from "../api.ts";
import { SecretField } from "./secret-field.tsx";
import { signIn } from "./session.ts";

const SECOND_MS = 1_000;

interface SignInProps {
  readonly hasEnded: boolean;
  readonly onEnter: () => void;
}

export function SignInForm({ hasEnded, onEnter }: SignInProps) {
  const [token, setToken] = useState("");
  const [problem, setProblem] = useState<Denied | null>(null);
  const [isAsking, setAsking] = useState(false);
  const [freeAt, setFreeAt] = useState(0);
  const [tries, setTries] = useState(0);
  const seconds = useSecondsUntil(freeAt);
  const send = () => {
    if (isAsking || seconds > 0 || token.trim() === "") return;
    setAsking(true);
    signIn(token.trim())
      .then(onEnter, (denied: Denied) => {
        setProblem(denied);
        if (denied.wait !== null) setFreeAt(Date.now() + denied.wait * SECOND_MS);
        setToken("");
        setTries((before) => before + 1);
      })
      .finally(() => setAsking(false));
  };
  return (
    <form
      class="gate"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <h1>{t("operator.sign_in.title")}</h1>
      {hasEnded && <p>{t("operator.sign_in.ended")}</p>}
      <SecretField
        focused={tries}
        label={t("operator.sign_in.token")}
        note={t("operator.sign_in.note")}
        value={token}
        onChange={setToken}
      />
      <div role="alert" class="warning">
        {problem === null ? "" : wordsOf(problem)}
      </div>
      {seconds > 0 && <p class="wait">{t("visitor.wait", { wait: inTime(seconds) })}</p>}
      <button type="submit" class="main" aria-disabled={isAsking || seconds > 0}>
        {t("operator.sign_in.enter")}
      </button>
    </form>
  );
}

const UNAUTHORIZED = 401;
const TOO_MANY = 429;

function wordsOf({ status, message }: Denied): string {
  if (status === UNAUTHORIZED) return t("operator.sign_in.wrong");
  if (status === TOO_MANY) return t("operator.sign_in.braked");
  return message;
}
