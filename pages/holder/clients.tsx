import { CodeTabs } from "../shared/code-tabs.tsx";
import { data } from "../shared/data.ts";
import { t } from "../shared/texts.ts";

type WriteSettings = (base: string, token: string) => string;

/** What each client wants, as text to paste. */
const clients: Readonly<Record<string, WriteSettings>> = {
  "OpenAI SDK": (base, token) => `OPENAI_BASE_URL=${base}/v1\nOPENAI_API_KEY=${token}`,
  "Claude Code": (base, token) => `ANTHROPIC_BASE_URL=${base}\nANTHROPIC_AUTH_TOKEN=${token}`,
  Codex: (base, token) =>
    `# ~/.codex/config.toml\nmodel = "${data.model}"\nmodel_provider = "parley"\n\n[model_providers.parley]\nname = "Parley"\nbase_url = "${base}/v1"\nenv_key = "PARLEY_TOKEN"\nwire_api = "responses"\n\n# environment\nPARLEY_TOKEN=${token}`,
  LangChain: (base, token) =>
    `from langchain_openai import ChatOpenAI\n\nmodel = ChatOpenAI(\n    model="${data.model}",\n    base_url="${base}/v1",\n    api_key="${token}",\n)`,
  "Cherry Studio": (base, token) => `API Host: ${base}\nAPI Key: ${token}`,
  Chatbox: (base, token) => `API Host: ${base}\nAPI Key: ${token}\nModel: ${data.model}`,
};

const SHOWN_CHARACTERS = 4;
const masked = (token: string) => `parley-…${token.slice(-SHOWN_CHARACTERS)}`;

/** Copies hold the token, the screen does not. */
export function ClientSettings({ token }: { readonly token: string }) {
  const base = new URL(".", document.baseURI).href.replace(/\/$/, "");
  const samples = Object.entries(clients).map(([name, write]) => {
    return { name, shown: write(base, masked(token)), copied: write(base, token) };
  });
  return (
    <section>
      <h2>{t("holder.clients")}</h2>
      <CodeTabs label={t("holder.clients")} samples={samples} />
    </section>
  );
}
