import { useEffect, useRef, useState } from "preact/hooks";
import { start } from "./shared/frame.tsx";
import { getJson } from "./shared/requests.ts";
import { remembered } from "./shared/storage.ts";
import { t } from "./shared/texts.ts";
import { type ApiDocument, type RawDocument, readDocument } from "./viewer/document.ts";
import { Heading } from "./viewer/heading.tsx";
import { noKeys, REMEMBERED_AS } from "./viewer/keys.tsx";
import { OperationView } from "./viewer/operation-view.tsx";
import { useViewerPlace } from "./viewer/place.ts";
import { SideBar } from "./viewer/side-bar.tsx";
import { Words } from "./viewer/words.tsx";

const DOCUMENT = "openapi.json";

function ViewerPage() {
  const { api, problem, load } = useDocument();
  if (api !== null) return <Viewer api={api} />;
  return (
    <>
      <h1>{t("viewer.title")}</h1>
      <div role="status">
        {problem === "" ? <p class="quiet">{t("loading")}</p> : <p class="warning">{problem}</p>}
      </div>
      {problem !== "" && (
        <button type="button" onClick={load}>
          {t("viewer.retry")}
        </button>
      )}
    </>
  );
}

function useDocument() {
  const [api, setApi] = useState<ApiDocument | null>(null);
  const [problem, setProblem] = useState("");
  const load = () => {
    setProblem("");
    getJson<RawDocument>(DOCUMENT).then(
      (raw) => setApi(readDocument(raw)),
      (error: Error) => setProblem(error.message),
    );
  };
  useEffect(load, []);
  return { api, problem, load };
}

function Viewer({ api }: { readonly api: ApiDocument }) {
  const place = useViewerPlace();
  const [keys, setKeys] = useState({ ...noKeys, caller: remembered(REMEMBERED_AS) ?? "" });
  const first = useRef(place);
  const hasMoved = useRef(false);
  if (place !== first.current) hasMoved.current = true;
  const all = api.groups.flatMap(({ operations }) => operations);
  const operation = all.find((one) => one.place === place);
  return (
    <div class="api">
      <SideBar api={api} place={place} />
      <div class="api-main">
        {operation === undefined ? (
          <Overview api={api} isLost={place !== ""} takesFocus={hasMoved.current} />
        ) : (
          <OperationView
            key={place}
            operation={operation}
            definitions={api.definitions}
            keys={keys}
            onKeys={setKeys}
          />
        )}
      </div>
    </div>
  );
}

interface OverviewProps {
  readonly api: ApiDocument;
  /** The fragment names a request that there is not. */
  readonly isLost: boolean;
  /** The reader has come back from a request. */
  readonly takesFocus: boolean;
}

function Overview({ api: { about, version, groups }, isLost, takesFocus }: OverviewProps) {
  return (
    <>
      <Heading takesFocus={takesFocus} isStill={true}>
        {t("viewer.title")}
      </Heading>
      {isLost && <p class="warning">{t("viewer.lost")}</p>}
      <p>
        <Words text={about} />
      </p>
      <p class="quiet">
        Parley {version} · <a href={DOCUMENT}>{DOCUMENT}</a>
      </p>
      <p>{t("viewer.choose")}</p>
      <table class="api-fields" aria-label={t("viewer.requests")}>
        <tbody>
          {groups.map(({ name, about: words }) => (
            <tr key={name}>
              <th scope="row" lang="en">
                {name}
              </th>
              <td>
                <Words text={words} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

void start("viewer", ViewerPage);
