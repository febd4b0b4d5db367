import { t } from "../shared/texts.ts";
import type { Definitions, Media, ResponseDoc } from "./document.ts";
import { FieldsTable, Nested } from "./fields-table.tsx";
import { Words } from "./words.tsx";

interface ResponsesProps {
  readonly responses: readonly (readonly [status: string, response: ResponseDoc])[];
  readonly definitions: Definitions;
}

const FIRST_ERROR = 400;

/** Each status, and what it means. All errors of a request have one form. */
export function Responses({ responses, definitions }: ResponsesProps) {
  const [, anError] = responses.find(([status]) => Number(status) >= FIRST_ERROR) ?? [];
  return (
    <section>
      <h2>{t("viewer.responses")}</h2>
      <table class="api-fields statuses" aria-label={t("viewer.responses")}>
        <tbody>
          {responses.map(([status, response]) => (
            <tr key={status}>
              <th scope="row">
                <code>{status}</code>
              </th>
              <td>
                <Words text={String(response.description ?? "")} />
                {Number(status) < FIRST_ERROR && (
                  <Bodies response={response} definitions={definitions} />
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {anError !== undefined && (
        <>
          <h2>{t("viewer.error")}</h2>
          <Bodies response={anError} definitions={definitions} />
        </>
      )}
    </section>
  );
}

interface BodiesProps {
  readonly response: ResponseDoc;
  readonly definitions: Definitions;
}

function Bodies({ response: { content = {} }, definitions }: BodiesProps) {
  return (
    <>
      {Object.entries(content).map(([type, media]) => (
        <Body key={type} type={type} media={media} definitions={definitions} />
      ))}
    </>
  );
}

interface BodyProps {
  readonly type: string;
  readonly media: Media;
  readonly definitions: Definitions;
}

function Body({ type, media: { schema, example }, definitions }: BodyProps) {
  if (schema === undefined) return <div class="quiet">{type}</div>;
  return (
    <Nested label={type}>
      {() => (
        <>
          <FieldsTable schema={schema} definitions={definitions} label={type} />
          {example !== undefined && (
            // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with keys
            <pre tabIndex={0}>{JSON.stringify(example, null, 2)}</pre>
          )}
        </>
      )}
    </Nested>
  );
}
