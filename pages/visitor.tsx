import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { CodeTabs } from "./shared/code-tabs.tsx";
import { data } from "./shared/data.ts";
import { start } from "./shared/frame.tsx";
import { remembered } from "./shared/storage.ts";
import { t } from "./shared/texts.ts";
import { Composer } from "./visitor/composer.tsx";
import { useDialogue } from "./visitor/dialogue.ts";
import { Meters } from "./visitor/meters.tsx";
import { bodyOf, type Settings } from "./visitor/question.ts";
import { samplesOf } from "./visitor/samples.ts";
import { REMEMBERED_AS, SettingsFields } from "./visitor/settings.tsx";
import { Turns } from "./visitor/turns.tsx";
import { useEndInView } from "./visitor/use-end-in-view.ts";
import { Welcome } from "./visitor/welcome.tsx";

const usualSettings: Settings = {
  system: "",
  model: "",
  maxTokens: data.maxTokens,
  continuous: true,
};

function VisitorPage() {
  const [settings, setSettings] = useState(usualSettings);
  const [credential, setCredential] = useState(() => remembered(REMEMBERED_AS) ?? "");
  const [draft, setDraft] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  const keyField = useRef<HTMLInputElement>(null);
  const end = useRef<HTMLDivElement>(null);
  const { dialogue, path, versions } = useDialogue(settings, credential);
  const { isOpen } = dialogue;
  // the button that was pressed may be gone
  const focusField = useCallback(() => field.current?.focus(), []);
  const follow = useEndInView(end);
  const showAsked = useCallback(() => {
    follow();
    focusField();
  }, []);
  // as the conversation began: the fields stay where they are while a key is typed
  const isKeyless = useMemo(() => credential === "", [path.length === 0]);
  const focusKey = useCallback(() => focusIn(keyField.current), []);
  const andFocus = (act: () => void) => () => {
    act();
    focusField();
  };
  useLayoutEffect(focusField, []);
  useEscape(isOpen, andFocus(dialogue.stop));
  const asked = draft.trim() || path.at(-1)?.question || t("visitor.question");
  return (
    <>
      <h1>{t("visitor.title")}</h1>
      {path.length === 0 && isKeyless && <Welcome onKeyWanted={focusKey} />}
      <Turns
        dialogue={dialogue}
        path={path}
        versions={versions}
        onAsked={showAsked}
        onKeyWanted={focusKey}
      />
      <div ref={end} class="end" />
      <Composer
        field={field}
        isOpen={isOpen}
        hasTurns={path.length > 0}
        onDraft={setDraft}
        onAsk={(question) => {
          dialogue.ask(question);
          showAsked();
        }}
        onStop={andFocus(dialogue.stop)}
        onClear={andFocus(dialogue.clear)}
      />
      <Meters windows={dialogue.windows} />
      <SettingsFields
        settings={settings}
        credential={credential}
        keyField={keyField}
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

/** Opens what the field is folded into. */
function focusIn(field: HTMLInputElement | null): void {
  const folded = field?.closest("details");
  if (folded != null) folded.open = true;
  field?.focus();
}

function useEscape(isActive: boolean, onEscape: () => void): void {
  useEffect(() => {
    if (!isActive) return;
    const listen = ({ key, isComposing }: KeyboardEvent) => {
      if (key === "Escape" && !isComposing) onEscape();
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, [isActive]);
}

void start("visitor", VisitorPage);
