import { useState } from "preact/hooks";
import { CodeTabs } from "../shared/code-tabs.tsx";
import { t } from "../shared/texts.ts";
import { callSamples } from "./call-samples.ts";
import type { Definitions, Operation, Parameter } from "./document.ts";
import { FieldLine, FieldsTable } from "./fields-table.tsx";
import { Heading } from "./heading.tsx";
import type { Keys } from "./keys.tsx";
import { exampleFilled, keyOfParameter } from "./request.ts";
import { Responses } from "./responses.tsx";
import { Try } from "./try.tsx";
import { Words } from "./words.tsx";

interface OperationViewProps {
  readonly operation: Operation;
  readonly definitions: Definitions;
  readonly keys: Keys;
  readonly onKeys: (keys: Keys) => void;
}

/** One request: what it takes, what it answers, how it is written, and a way to send it. */
export function OperationView(props: OperationViewProps) {
  const { operation, definitions, keys, onKeys } = props;
  const { method, path, summary, description, needs, parameters, json, form } = operation;
  const [filled, setFilled] = useState(() => exampleFilled(operation));
  return (
    <article>
      <Heading takesFocus>
        <Words text={summary} />
      </Heading>
      <p>
        <code class="api-path">
          <b>{method}</b> {path}
        </code>
      </p>
      {description !== "" && (
        <p>
          <Words text={description} />
        </p>
      )}
      <p class="quiet">{t(`viewer.needs.${needs}`)}</p>
      {parameters.length > 0 && <Parameters parameters={parameters} definitions={definitions} />}
      {[json, form].map(
        (media) =>
          media?.schema !== undefined && (
            <section key={media === json}>
              <h2>{t(media === json ? "viewer.json" : "viewer.form")}</h2>
              <FieldsTable
                schema={media.schema}
                definitions={definitions}
                label={t(media === json ? "viewer.json" : "viewer.form")}
              />
            </section>
          ),
      )}
      <h2>{t("viewer.example")}</h2>
      <CodeTabs label={t("visitor.tabs")} samples={callSamples(operation, filled)} />
      {isPlainHttp(operation) && (
        <Try
          operation={operation}
          filled={filled}
          keys={keys}
          onFill={(change) => setFilled((before) => ({ ...before, ...change }))}
          onKeys={onKeys}
        />
      )}
      <Responses responses={operation.responses} definitions={definitions} />
    </article>
  );
}

/** A WebSocket needs more than a request. */
function isPlainHttp({ responses }: Operation): boolean {
  return !responses.some(([status]) => status === "101");
}

interface ParametersProps {
  readonly parameters: readonly Parameter[];
  readonly definitions: Definitions;
}

function Parameters({ parameters, definitions }: ParametersProps) {
  return (
    <section>
      <h2>{t("viewer.parameters")}</h2>
      <table class="api-fields" aria-label={t("viewer.parameters")}>
        <tbody>
          {parameters.map((one) => (
            <FieldLine
              key={keyOfParameter(one)}
              name={one.name}
              note={[
                t(`viewer.in.${one.in}`),
                ...(one.required === true ? [t("viewer.required.all")] : []),
              ].join(", ")}
              schema={one.schema ?? {}}
              definitions={definitions}
              description={one.description}
            />
          ))}
        </tbody>
      </table>
    </section>
  );
}
