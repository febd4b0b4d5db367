import { hrefOf, usePlace } from "./operator/fragment.ts";
import { views } from "./operator/views.ts";
import { start } from "./shared/frame.tsx";
import { t } from "./shared/texts.ts";

function OperatorPage() {
  const [chosen, ...rest] = usePlace();
  const { name, View } = views.find((view) => view.name === chosen) ?? views[0];
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
      </nav>
      <div>
        <View rest={rest} />
      </div>
    </div>
  );
}

void start("operator", OperatorPage);
