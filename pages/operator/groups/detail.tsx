import { useState } from "preact/hooks";
import { moment } from "../../shared/format.ts";
import { t } from "../../shared/texts.ts";
import { ask } from "../api.ts";
import { pathWith, useAsked } from "../asked.ts";
import { FactList } from "../facts.tsx";
import { Confirm } from "../forms/confirm.tsx";
import { History } from "../forms/history.tsx";
import { Title } from "../forms/title.tsx";
import { goTo, hrefOf } from "../fragment.ts";
import { Problem } from "../problem.tsx";
import { TokenTable } from "../tokens/list.tsx";
import { fieldLabel } from "../tokens/options.tsx";
import { QuotaTable } from "../tokens/quotas.tsx";
import { type GroupDetails, groupPath } from "./group.ts";

/** A group: what is left of its quotas, and its tokens. */
export function GroupPage({ name }: { readonly name: string }) {
  const { answer: group, problem, again } = useAsked<GroupDetails>(groupPath(name));
  const [isRemoving, setRemoving] = useState(false);
  return (
    <>
      <Title>{name}</Title>
      <Problem problem={problem} onAgain={again} />
      {group !== null && (
        <>
          <div class="row actions">
            <a class="button" href={hrefOf("groups", "edit", name)}>
              {t("operator.form.edit")}
            </a>
            <button type="button" class="warning" onClick={() => setRemoving(true)}>
              {t("operator.form.remove")}
            </button>
          </div>
          <FactList
            facts={[
              [fieldLabel("comment"), group.comment],
              [t("operator.form.created"), moment(group.created_at)],
            ]}
          />
          <QuotaTable parts={[{ quotas: group.quotas, group: null }]} />
          <h2>{t("operator.view.tokens")}</h2>
          <TokenTable
            path={pathWith("tokens", { group: name })}
            empty={t("operator.groups.no_tokens")}
          />
          <History kind="group" subject={name} version={0} />
        </>
      )}
      {isRemoving && (
        <Confirm
          title={t("operator.form.remove")}
          words={t("operator.groups.remove_words", { name })}
          action={t("operator.form.remove")}
          act={() => ask("DELETE", groupPath(name)).then(() => goTo("groups"))}
          onClose={() => setRemoving(false)}
        />
      )}
    </>
  );
}
