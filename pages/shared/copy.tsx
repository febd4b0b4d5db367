import { useState } from "preact/hooks";
import { t } from "./texts.ts";

/** Whether the text was copied. Plain http has no clipboard in JavaScript, and some browsers forbid it. */
async function copy(text: string): Promise<boolean> {
  const byClipboard = navigator.clipboard?.writeText(text).then(
    () => true,
    () => false,
  );
  return (await byClipboard) === true || copySelected(text);
}

/** The older way. The focus returns to where it was. */
function copySelected(text: string): boolean {
  const before = document.activeElement;
  const area = document.createElement("textarea");
  area.value = text;
  area.setAttribute("aria-hidden", "true");
  area.className = "unseen";
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  if (before instanceof HTMLElement) before.focus();
  return isCopied;
}

export function CopyButton({ text }: { readonly text: () => string }) {
  const [isCopied, setCopied] = useState(false);
  return (
    <button
      type="button"
      class="plain"
      onClick={() => {
        void copy(text()).then(setCopied);
      }}
    >
      {t(isCopied ? "copied" : "copy")}
    </button>
  );
}
