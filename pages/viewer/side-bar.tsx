import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { count } from "../shared/format.ts";
import { t } from "../shared/texts.ts";
import type { ApiDocument } from "./document.ts";
import { linkTo } from "./place.ts";
import { foundBy, indexOf } from "./search.ts";

interface SideBarProps {
  readonly api: ApiDocument;
  readonly place: string;
}

/** All requests by dialect, and a search in them. On a narrow screen it is behind a button. */
export function SideBar({ api, place }: SideBarProps) {
  const [query, setQuery] = useState("");
  const [opened, setOpened] = useState({ place, isOpen: place === "" });
  // closed as soon as a request is drawn, whose heading takes the focus and comes into view
  const isOpen = opened.place === place ? opened.isOpen : place === "";
  const setOpen = (wanted: boolean) => setOpened({ place, isOpen: wanted });
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const link = document.querySelector("#requests a[aria-current]");
    link?.scrollIntoView({ block: "center" });
  }, [place]);
  useSlash(() => {
    setOpen(true);
    setTimeout(() => field.current?.focus());
  });
  return (
    <div class="api-side">
      <button
        type="button"
        class="api-toggle"
        aria-expanded={isOpen}
        aria-controls="requests"
        onClick={() => setOpen(!isOpen)}
      >
        {t("viewer.requests")}
      </button>
      <div id="requests" class={isOpen ? "api-list" : "api-list closed"}>
        <label for="search">{t("viewer.search")}</label>
        <input
          id="search"
          ref={field}
          type="search"
          aria-describedby="search-note"
          value={query}
          onInput={({ currentTarget }) => setQuery(currentTarget.value)}
        />
        <Requests api={api} place={place} query={query.trim()} />
      </div>
    </div>
  );
}

function Requests({ api, place, query }: SideBarProps & { readonly query: string }) {
  const isSearched = query !== "";
  const index = useMemo(() => (isSearched ? indexOf(api) : null), [api, isSearched]);
  const groups = index === null ? api.groups : foundBy(query, api.groups, index);
  const found = groups.reduce((sum, { operations }) => sum + operations.length, 0);
  return (
    <>
      <div id="search-note" class="quiet" role="status">
        {isSearched ? t("viewer.found", { count: count(found) }) : t("viewer.slash")}
      </div>
      <nav aria-label={t("viewer.requests")}>
        {groups.map(({ name, operations }) => (
          <section key={name} aria-label={name}>
            <h2 lang="en">{name}</h2>
            <ul>
              {operations.map((one) => (
                <li key={one.place}>
                  <a
                    href={linkTo(one.place)}
                    title={one.summary}
                    aria-current={one.place === place ? "page" : undefined}
                  >
                    <span class="method">{one.method}</span> <span>{one.path}</span>
                  </a>
                </li>
              ))}
            </ul>
          </section>
        ))}
      </nav>
    </>
  );
}

/** The key that searches on many pages. */
function useSlash(act: () => void): void {
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      const isWriting = (event.target as Element | null)?.closest("input, textarea, select");
      const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
      if (event.key !== "/" || !isPlain || isWriting) return;
      event.preventDefault();
      act();
    };
    addEventListener("keydown", listen);
    return () => removeEventListener("keydown", listen);
  }, []);
}
