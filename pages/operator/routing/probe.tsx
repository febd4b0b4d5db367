import { useId, useState } from "preact/hooks";
import { count } from "../../shared/format.ts";
import { t } from "../../shared/texts.ts";
import { ask } from "../api.ts";
import { FactList } from "../facts.tsx";
import { ActButton } from "../forms/act-button.tsx";
import { Confirm } from "../forms/confirm.tsx";
import { type Upstream, upstreamPath } from "./routing.ts";

interface Probe {
  readonly asked: "models" | "answer" | null;
  readonly ok: boolean | null;
  readonly status: number | null;
  readonly models: number | null;
  readonly connect_ms: number | null;
  readonly latency_ms: number | null;
  readonly reason: string | null;
}

interface ProbeButtonsProps {
  readonly upstream: Upstream;
  readonly onProbed: () => void;
}

/** Asks the upstream for what is free, or for one paid token. */
export function ProbeButtons({ upstream, onProbed }: ProbeButtonsProps) {
  const id = useId();
  const [probe, setProbe] = useState<Probe | null>(null);
  const [isPaying, setPaying] = useState(false);
  const [model, setModel] = useState(upstream.models[0] ?? "");
  const test = async (body: object) => {
    setProbe(null);
    setProbe(await ask<Probe>("POST", `${upstreamPath(upstream.name)}/test`, body));
    onProbed();
  };
  return (
    <>
      <div class="row actions">
        <ActButton act={() => test({})}>{t("operator.routing.test")}</ActButton>
        <button type="button" onClick={() => setPaying(true)}>
          {t("operator.routing.test_paid")}
        </button>
      </div>
      <div role="status">{probe !== null && <ProbeResult probe={probe} />}</div>
      {isPaying && (
        <Confirm
          title={t("operator.routing.test_paid")}
          words={t("operator.routing.paid_words")}
          action={t("operator.routing.test_paid")}
          act={() => test({ paid: true, ...(model.trim() !== "" && { model: model.trim() }) })}
          onClose={() => setPaying(false)}
        >
          <p>
            <label for={id}>{t("operator.routing.model_there")}</label>
            <input
              id={id}
              class="whole"
              autocomplete="off"
              value={model}
              onInput={({ currentTarget }) => setModel(currentTarget.value)}
            />
          </p>
        </Confirm>
      )}
    </>
  );
}

function ProbeResult({ probe }: { readonly probe: Probe }) {
  const { asked, ok, status, models, reason } = probe;
  const ms = (value: number | null) =>
    value === null ? null : t("operator.routing.ms", { ms: count(value) });
  if (asked === null) return <p class="quiet">{t("operator.routing.nothing_free")}</p>;
  return (
    <>
      <p>
        <span class={ok === true ? "now good" : "now bad"}>
          {t(ok === true ? "operator.routing.answers" : "operator.routing.fails")}
        </span>
      </p>
      <FactList
        facts={[
          [t("operator.routing.status"), status === null ? null : String(status)],
          [t("operator.routing.listed"), models === null ? null : count(models)],
          [t("operator.routing.connect"), ms(probe.connect_ms)],
          [t("operator.routing.latency"), ms(probe.latency_ms)],
          [t("operator.routing.reason"), reason],
        ]}
      />
    </>
  );
}
