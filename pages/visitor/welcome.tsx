import { data } from "../shared/data.ts";
import { t } from "../shared/texts.ts";

const KEYS_PAGE = "https://platform.openai.com/api-keys";

/** Where no key is shared: how to get one, and what the operator can do. */
export function Welcome({ onKeyWanted }: { readonly onKeyWanted: () => void }) {
  if (data.sharedKey) return null;
  return (
    <section class="notice" aria-label={t("visitor.no_key")}>
      <p>
        <strong>{t("visitor.no_key")}</strong>
      </p>
      <ol>
        <li>
          {t("visitor.get_key")}{" "}
          <a href={KEYS_PAGE} target="_blank" rel="noopener noreferrer">
            platform.openai.com/api-keys
          </a>
        </li>
        <li>
          {t("visitor.paste_key")}{" "}
          <button type="button" class="plain" onClick={onKeyWanted}>
            {t("visitor.give_key")}
          </button>
        </li>
      </ol>
      <p class="quiet">
        {t("visitor.operator_key")} <a href="admin">{t("visitor.operator_page")}</a>
      </p>
    </section>
  );
}
