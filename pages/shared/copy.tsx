import { useState } from "preact/hooks";
import { t } from "./texts.ts";

/** Copies the text; plain http has no clipboard in JavaScript, so there is an older way. */
async function copy(text: string): Promise<void> {
  if (navigator.clipboard !== undefined) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  area.setAttribute("aria-hidden", "true");
  area.className = "unseen";
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

export function CopyButton({ text }: { readonly text: () => string }) {
  const [isCopied, setCopied] = useState(false);
  return (
    <button
      type="button"
      class="plain"
      onClick={() => {
        void copy(text()).then(() => setCopied(true));
      }}
    >
      {t(isCopied ? "copied" : "copy")}
    </button>
  );
}
