import { type ComponentChildren, type ComponentType, render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { currentLanguage, languageNames, restoreLanguage, switchLanguage, t } from "./texts.ts";

export type PageName = "visitor" | "holder" | "status" | "operator" | "viewer";
const links = [
  ["visitor", "./"],
  ["holder", "me"],
  ["status", "status"],
] as const;

interface FrameProps {
  readonly page: PageName;
  readonly children: ComponentChildren;
}

/** What all pages have: the way to the others, and the language. */
function Frame({ page, children }: FrameProps) {
  return (
    <>
      <header>
        <nav aria-label={t("pages")}>
          {links.map(([name, href]) => (
            <a key={name} href={href} aria-current={name === page ? "page" : undefined}>
              {t(`${name}.title`)}
            </a>
          ))}
          <a href="docs" aria-current={page === "viewer" ? "page" : undefined}>
            {t("docs")}
          </a>
        </nav>
        <LanguageChoice />
      </header>
      <main>{children}</main>
    </>
  );
}

function LanguageChoice() {
  return (
    <select
      aria-label={t("language")}
      value={currentLanguage()}
      onChange={(event) => {
        void switchLanguage(event.currentTarget.value).then(redraw, redraw);
      }}
    >
      {Object.entries(languageNames).map(([tag, name]) => (
        <option key={tag} value={tag} lang={tag}>
          {name}
        </option>
      ))}
    </select>
  );
}

let redraw: () => void = () => undefined;

/** Draws the page, and again when its language changes. */
export async function start(page: PageName, Page: ComponentType): Promise<void> {
  await restoreLanguage();
  function Root() {
    const [, setTimes] = useState(0);
    redraw = () => setTimes((times) => times + 1);
    useEffect(() => {
      document.title = `${t(`${page}.title`)} · Parley`;
    });
    return (
      <Frame page={page}>
        <Page />
      </Frame>
    );
  }
  const place = document.getElementById("page");
  if (place !== null) render(<Root />, place);
}
