import { useState } from "preact/hooks";
import { count, moment } from "../../shared/format.ts";
import { t } from "../../shared/texts.ts";
import { useAsked } from "../asked.ts";
import { FactList } from "../facts.tsx";
import { History } from "../forms/history.tsx";
import { type MadeToken, Secret } from "../forms/secret.tsx";
import { Title } from "../forms/title.tsx";
import { hrefOf } from "../fragment.ts";
import { Problem } from "../problem.tsx";
import { TokenActions } from "./actions.tsx";
import { fieldLabel } from "./options.tsx";
import { StateMark } from "./state-mark.tsx";
import { limitNames, type TokenDetails } from "./token.ts";
import { TokenUsage } from "./usage.tsx";

/** A token, what it may do and has done, and what can be done with it. */
export function TokenPage({ id }: { readonly id: string }) {
  const [version, setVersion] = useState(0);
  const [made, setMade] = useState<MadeToken | null>(null);
  const path = `tokens/${encodeURIComponent(id)}`;
  const { answer: token, problem, again } = useAsked<TokenDetails>(path, version);
  const onChanged = () => setVersion((before) => before + 1);
  if (token === null) {
    return (
      <>
        <Title>{t("operator.view.tokens")}</Title>
        <Problem problem={problem} onAgain={again} />
      </>
    );
  }
  return (
    <>
      <Title>
        {token.name} <StateMark state={token.state} />
      </Title>
      <Problem problem={problem} onAgain={again} />
      {made !== null && <Secret made={[made]} onDone={() => setMade(null)} />}
      <TokenActions
        token={token}
        onChanged={onChanged}
        onMade={(secret) => {
          setMade(secret);
          onChanged();
        }}
      />
      <TokenFacts token={token} />
      <TokenUsage token={token} />
      <History kind="token" subject={id} version={version} />
    </>
  );
}

function TokenFacts({ token }: { readonly token: TokenDetails }) {
  const limits = limitNames.map((name) => {
    const limit = token[name];
    return [fieldLabel(name), limit === null ? null : count(Number(limit))] as const;
  });
  const { group, grace_until: grace } = token;
  return (
    <FactList
      facts={[
        [t("operator.tokens.hint"), <code key="hint">{token.hint}</code>],
        [t("operator.tokens.id"), <code key="id">{token.id}</code>],
        [fieldLabel("comment"), token.comment],
        [t("operator.form.created"), moment(token.created_at)],
        [
          fieldLabel("expires"),
          token.expires_at === null ? t("operator.form.never") : moment(token.expires_at),
        ],
        [t("operator.tokens.grace_until"), grace && moment(grace)],
        [t("operator.tokens.disabled_at"), token.disabled_at && moment(token.disabled_at)],
        [t("operator.tokens.revoked_at"), token.revoked_at && moment(token.revoked_at)],
        [fieldLabel("models"), token.models?.join(", ") ?? t("operator.tokens.all_models")],
        [
          fieldLabel("group"),
          group && (
            <a key="group" href={hrefOf("groups", "show", group)}>
              {group}
            </a>
          ),
        ],
        [fieldLabel("upstream_key"), token.own_upstream_key ? t("operator.tokens.key_set") : null],
        ...limits,
      ]}
    />
  );
}
