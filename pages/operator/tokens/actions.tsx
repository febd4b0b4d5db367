import { useId, useState } from "preact/hooks";
import { t } from "../../shared/texts.ts";
import { ask, type Denied } from "../api.ts";
import { ActButton } from "../forms/act-button.tsx";
import { Confirm } from "../forms/confirm.tsx";
import type { MadeToken } from "../forms/secret.tsx";
import { hrefOf } from "../fragment.ts";
import type { Token } from "./token.ts";

interface ActionsProps {
  readonly token: Token;
  readonly onChanged: () => void;
  readonly onMade: (made: MadeToken) => void;
}

const CONFLICT = 409;
const graces = ["24h", "7d", ""] as const;

/** What can be done with a token in its state. */
export function TokenActions({ token, onChanged, onMade }: ActionsProps) {
  const [asks, setAsks] = useState<"rotate" | "revoke" | null>(null);
  const close = () => setAsks(null);
  const path = `tokens/${encodeURIComponent(token.id)}`;
  const isLive = token.state !== "revoked";
  const isDisabled = token.disabled_at !== null;
  const turn = isDisabled ? "enable" : "disable";
  const change = <T,>(...asked: Parameters<typeof ask>) =>
    ask<T>(...asked).catch((denied: Denied) => {
      // perhaps somebody else has revoked it
      if (denied.status === CONFLICT) onChanged();
      throw denied;
    });
  const rotate = (body: object) => change<MadeToken>("POST", `${path}/rotate`, body).then(onMade);
  return (
    <div class="row actions">
      {isLive && (
        <>
          <a class="button" href={hrefOf("tokens", token.id, "edit")}>
            {t("operator.form.edit")}
          </a>
          <button type="button" onClick={() => setAsks("rotate")}>
            {t("operator.tokens.rotate")}
          </button>
          <ActButton act={() => change("POST", `${path}/${turn}`).then(onChanged)}>
            {t(`operator.tokens.${turn}`)}
          </ActButton>
        </>
      )}
      <a class="button" href={hrefOf("tokens", "like", token.id)}>
        {t("operator.tokens.copy")}
      </a>
      {isLive && (
        <button type="button" class="warning" onClick={() => setAsks("revoke")}>
          {t("operator.tokens.revoke")}
        </button>
      )}
      {asks === "rotate" && <Rotate name={token.name} rotate={rotate} onClose={close} />}
      {asks === "revoke" && (
        <Confirm
          title={t("operator.tokens.revoke")}
          words={t("operator.tokens.revoke_words")}
          action={t("operator.tokens.revoke")}
          typed={token.name}
          act={() => change("DELETE", path).then(onChanged)}
          onClose={close}
        />
      )}
    </div>
  );
}

interface RotateProps {
  readonly name: string;
  readonly rotate: (body: object) => Promise<unknown>;
  readonly onClose: () => void;
}

function Rotate({ name, rotate, onClose }: RotateProps) {
  const id = useId();
  const [grace, setGrace] = useState<string>(graces[0]);
  const act = () => rotate(grace === "" ? {} : { grace });
  return (
    <Confirm
      title={t("operator.tokens.rotate")}
      words={t("operator.tokens.rotate_words", { name })}
      action={t("operator.tokens.rotate")}
      act={act}
      onClose={onClose}
    >
      <p>
        <label for={id}>{t("operator.tokens.grace")}</label>
        <select
          id={id}
          value={grace}
          onChange={({ currentTarget }) => setGrace(currentTarget.value)}
        >
          {graces.map((one) => (
            <option key={one} value={one}>
              {t(`operator.tokens.graces.${one === "" ? "none" : one}`)}
            </option>
          ))}
        </select>
      </p>
    </Confirm>
  );
}
