import { useEffect, useRef, useState } from "preact/hooks";
import { CodeTabs } from "./shared/code-tabs.tsx";
import { data } from "./shared/data.ts";
import { start } from "./shared/frame.tsx";
import { remembered } from "./shared/storage.ts";
import { t } from "./shared/texts.ts";
import { Composer } from "./visitor/composer.tsx";
import { useDialogue } from "./visitor/dialogue.ts";
import { Meters } from "./visitor/meters.tsx";
import { bodyOf } from "./visitor/question.ts";
import { samplesOf } from "./visitor/samples.ts";
import { REMEMBERED_AS, SettingsFields } from "./visitor/settings.tsx";
import { Turns } from "./visitor/turns.tsx";

const usualSettings = { system: "", model: "", maxTokens: data.maxTokens, continuous: true };

function VisitorPage() {
  const [settings, setSettings] = useState(usualSettings);
  const [credential, setCredential] = useState(() => remembered(REMEMBERED_AS) ?? "");
  const [draft, setDraft] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  const dialogue = useDialogue(settings, credential);
  const { turns, isOpen } = dialogue;
  // the button that was pressed may be gone
  const focusField = () => field.current?.focus();
  const stop = () => {
    dialogue.stop();
    focusField();
  };
  useEffect(focusField, []);
  useEscape(isOpen, stop);
  const asked = draft.trim() || turns.at(-1)?.question || t("visitor.question");
  return (
    <>
      <h1>{t("visitor.title")}</h1>
      <Turns dialogue={dialogue} onAsked={focusField} />
      <Composer
        field={field}
        isOpen={isOpen}
        hasTurns={turns.length > 0}
        onDraft={setDraft}
        onAsk={(question) => dialogue.askAt(turns.length, question)}
        onStop={stop}
        onClear={() => {
          dialogue.clear();
          focusField();
        }}
      />
      <Meters windows={dialogue.windows} />
      <SettingsFields
        settings={settings}
        credential={credential}
        onChange={setSettings}
        onCredential={setCredential}
      />
      <details>
        <summary>{t("visitor.as_code")}</summary>
        <CodeTabs
          label={t("visitor.tabs")}
          samples={samplesOf(bodyOf(settings, [], asked), !data.sharedKey || credential !== "")}
        />
      </details>
    </>
  );
}

function useEscape(isActive: boolean, onEscape: () => void): void {
  useEffect(() => {
    if (!isActive) return;
    const listen = ({ key }: KeyboardEvent) => {
      if (key === "Escape") onEscape();
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, [isActive]);
}

void start("visitor", VisitorPage);
