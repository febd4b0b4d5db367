import { useState } from "preact/hooks";
import { count, moment } from "../../shared/format.ts";
import { t } from "../../shared/texts.ts";
import { ask } from "../api.ts";
import { useAsked } from "../asked.ts";
import { FactList } from "../facts.tsx";
import { Confirm } from "../forms/confirm.tsx";
import { History } from "../forms/history.tsx";
import { Title } from "../forms/title.tsx";
import { goTo, hrefOf } from "../fragment.ts";
import { Problem } from "../problem.tsx";
import { usePulse } from "../pulse.ts";
import { BreakerMark, REFRESH_MS } from "./breaker.tsx";
import { ProbeButtons } from "./probe.tsx";
import { type Upstream, upstreamPath } from "./routing.ts";

export function UpstreamPage({ name }: { readonly name: string }) {
  const {
    answer: upstream,
    problem,
    again,
  } = useAsked<Upstream>(upstreamPath(name), usePulse(REFRESH_MS));
  const [isRemoving, setRemoving] = useState(false);
  const isOwn = upstream?.created_at === null;
  return (
    <>
      <Title>
        {name} {upstream !== null && <BreakerMark upstream={upstream} />}
      </Title>
      <Problem problem={problem} onAgain={again} />
      {upstream !== null && (
        <>
          {isOwn && <p class="quiet">{t("operator.routing.of_settings")}</p>}
          <div class="row actions">
            {!isOwn && (
              <>
                <a class="button" href={hrefOf("routing", "edit", name)}>
                  {t("operator.form.edit")}
                </a>
                <button type="button" class="warning" onClick={() => setRemoving(true)}>
                  {t("operator.form.remove")}
                </button>
              </>
            )}
          </div>
          <ProbeButtons upstream={upstream} onProbed={again} />
          <UpstreamFacts upstream={upstream} />
          <History kind="upstream" subject={name} version={0} />
        </>
      )}
      {isRemoving && (
        <Confirm
          title={t("operator.form.remove")}
          words={t("operator.routing.remove_upstream", { name })}
          action={t("operator.form.remove")}
          act={() => ask("DELETE", upstreamPath(name)).then(() => goTo("routing"))}
          onClose={() => setRemoving(false)}
        />
      )}
    </>
  );
}

function UpstreamFacts({ upstream }: { readonly upstream: Upstream }) {
  const label = (name: string) => t(`operator.routing.of.${name}`);
  const bound = (value: number | null) => (value === null ? null : count(value));
  return (
    <FactList
      facts={[
        [label("url"), upstream.url],
        [label("kind"), t(`operator.routing.kinds.${upstream.kind}`)],
        [label("models"), upstream.models.join(", ")],
        [label("keys"), count(upstream.key_count)],
        [label("headers"), upstream.header_names.join(", ")],
        [label("proxy"), upstream.proxy],
        [label("concurrency"), bound(upstream.concurrency)],
        [label("answer_seconds"), bound(upstream.answer_seconds)],
        [label("first_token_seconds"), bound(upstream.first_token_seconds)],
        [t("operator.form.created"), upstream.created_at && moment(upstream.created_at)],
      ]}
    />
  );
}
