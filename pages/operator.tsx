import { useEffect } from "preact/hooks";
import { hrefOf, usePlace } from "./operator/fragment.ts";
import { Gate } from "./operator/gate/gate.tsx";
import { views } from "./operator/views.ts";
import { start } from "./shared/frame.tsx";
import { t } from "./shared/texts.ts";

function OperatorPage() {
  return <Gate>{(leave) => <Console onLeave={leave} />}</Gate>;
}

function Console({ onLeave }: { readonly onLeave: () => void }) {
  const [chosen, ...rest] = usePlace();
  const { name, View } = views.find((view) => view.name === chosen) ?? views[0];
  useEffect(() => {
    document.title = `${t(`operator.view.${name}`)} · ${t("operator.title")} · Parley`;
  });
  return (
    <div class="console">
      <nav class="side" aria-label={t("operator.title")}>
        {views.map((view) => (
          <a
            key={view.name}
            href={hrefOf(view.name)}
            aria-current={view.name === name ? "page" : undefined}
          >
            {t(`operator.view.${view.name}`)}
          </a>
        ))}
        <button type="button" class="plain" onClick={onLeave}>
          {t("operator.sign_out")}
        </button>
      </nav>
      <div>
        <View rest={rest} />
      </div>
    </div>
  );
}

void start("operator", OperatorPage);
