import { count } from "../../shared/format.ts";
import { t } from "../../shared/texts.ts";
import { useAsked } from "../asked.ts";
import type { Column } from "../data-table.tsx";
import { Title } from "../forms/title.tsx";
import { WholeTable } from "../forms/whole-table.tsx";
import { hrefOf } from "../fragment.ts";
import { Problem } from "../problem.tsx";
import { usePulse } from "../pulse.ts";
import { BreakerMark, REFRESH_MS } from "./breaker.tsx";
import { RouteWords } from "./route-words.tsx";
import type { Route, Upstream, Upstreams } from "./routing.ts";

export function RoutingLists() {
  return (
    <>
      <Title>{t("operator.view.routing")}</Title>
      <UpstreamList />
      <RouteList />
    </>
  );
}

function UpstreamList() {
  const { answer, problem, again } = useAsked<Upstreams>("upstreams", usePulse(REFRESH_MS));
  return (
    <>
      <div class="row head">
        <h2>{t("operator.routing.upstreams")}</h2>
        <a class="button" href={hrefOf("routing", "upstream")}>
          {t("operator.routing.new_upstream")}
        </a>
      </div>
      <Problem problem={problem} onAgain={again} />
      {answer !== null && (
        <WholeTable
          title={t("operator.routing.upstreams")}
          rows={answer.upstreams}
          columns={upstreamColumns()}
          keyOf={({ name }) => name}
          linkOf={({ name }) => hrefOf("routing", "upstream", name)}
          textOf={({ name, url, models }) => [name, url, ...models].join("\n")}
          empty={null}
        />
      )}
    </>
  );
}

function upstreamColumns(): readonly Column<Upstream>[] {
  return [
    { key: "name", label: t("operator.form.field.name"), cell: ({ name }) => name },
    {
      key: "state",
      label: t("operator.routing.state"),
      cell: (upstream) => <BreakerMark upstream={upstream} />,
    },
    { key: "kind", label: t("operator.routing.of.kind"), cell: ({ kind }) => kind },
    { key: "url", label: t("operator.routing.of.url"), cell: ({ url }) => url },
    {
      key: "keys",
      label: t("operator.routing.of.keys"),
      isNumber: true,
      cell: (upstream) => count(upstream.key_count),
    },
    {
      key: "concurrency",
      label: t("operator.routing.of.concurrency"),
      isNumber: true,
      cell: ({ concurrency }) => (concurrency === null ? "–" : count(concurrency)),
    },
    {
      key: "models",
      label: t("operator.routing.of.models"),
      cell: ({ models }) => <span class="long">{models.join(", ")}</span>,
    },
  ];
}

function RouteList() {
  const { answer, problem, again } = useAsked<{ readonly routes: readonly Route[] }>("routes");
  const title = t("operator.routing.routes");
  return (
    <>
      <div class="row head">
        <h2>{title}</h2>
        <a class="button" href={hrefOf("routing", "route")}>
          {t("operator.routing.new_route")}
        </a>
      </div>
      <Problem problem={problem} onAgain={again} />
      {answer !== null && (
        <WholeTable<Route>
          title={title}
          rows={answer.routes}
          columns={[
            { key: "model", label: t("operator.routing.model"), cell: ({ model }) => model },
            {
              key: "to",
              label: t("operator.routing.answered_by"),
              cell: ({ stages }) => <RouteWords stages={stages} />,
            },
          ]}
          keyOf={({ model }) => model}
          linkOf={({ model }) => hrefOf("routing", "route", model)}
          textOf={({ model, to }) => `${model}\n${to}`}
          empty={t("operator.routing.no_routes")}
        />
      )}
    </>
  );
}
