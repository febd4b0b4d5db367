import { useState } from "preact/hooks";
import { t } from "../shared/texts.ts";
import type { Definitions, Schema } from "./document.ts";
import { boundsOf, type Field, fieldsOf, typeOf } from "./fields.ts";
import { Words } from "./words.tsx";

/** What is nested deeper is left to openapi.json. */
const MAX_DEPTH = 8;

interface FieldsTableProps {
  readonly schema: Schema;
  readonly definitions: Definitions;
  readonly label: string;
  readonly depth?: number;
}

/** The fields of an object; those inside a field are behind a disclosure. */
export function FieldsTable({ schema, definitions, label, depth = 0 }: FieldsTableProps) {
  const fields = fieldsOf(schema, definitions);
  if (fields.length === 0) {
    return (
      <p>
        <code lang="en">{typeOf(schema, definitions)}</code>{" "}
        {schema.description !== undefined && <Words text={String(schema.description)} />}
      </p>
    );
  }
  return (
    <table class="api-fields" aria-label={label}>
      <tbody>
        {fields.map((field) => (
          <FieldRow key={field.name} field={field} definitions={definitions} depth={depth} />
        ))}
      </tbody>
    </table>
  );
}

interface FieldRowProps {
  readonly field: Field;
  readonly definitions: Definitions;
  readonly depth: number;
}

function FieldRow({ field, definitions, depth }: FieldRowProps) {
  const { name, schema, required } = field;
  const hasMore = depth < MAX_DEPTH && fieldsOf(schema, definitions).length > 0;
  return (
    <>
      <FieldLine
        name={name}
        note={required === "none" ? "" : t(`viewer.required.${required}`)}
        schema={schema}
        definitions={definitions}
      />
      {hasMore && (
        <tr class="nested">
          <td colSpan={2}>
            <Nested label={name}>
              {() => (
                <FieldsTable
                  schema={schema}
                  definitions={definitions}
                  label={name}
                  depth={depth + 1}
                />
              )}
            </Nested>
          </td>
        </tr>
      )}
    </>
  );
}

interface FieldLineProps {
  readonly name: string;
  readonly note: string;
  readonly schema: Schema;
  readonly definitions: Definitions;
  readonly description?: string | undefined;
}

/** A field or parameter: its name, what it may be, and what it means. */
export function FieldLine({ name, note, schema, definitions, description }: FieldLineProps) {
  const bounds = boundsOf(schema, definitions);
  const about = description ?? schema.description ?? "";
  return (
    <tr>
      <th scope="row">
        <code>{name}</code>
        {note !== "" && <small> {note}</small>}
        {schema.deprecated === true && <small> {t("viewer.deprecated")}</small>}
      </th>
      <td>
        <code class="quiet" lang="en">
          {[typeOf(schema, definitions), bounds].filter((words) => words !== "").join(", ")}
        </code>{" "}
        {about !== "" && <Words text={String(about)} />}
      </td>
    </tr>
  );
}

interface NestedProps {
  readonly label: string;
  readonly children: () => preact.ComponentChildren;
}

/** Drawn when it is first opened: schemas may be large, or contain themselves. */
export function Nested({ label, children }: NestedProps) {
  const [wasOpened, setOpened] = useState(false);
  return (
    <details
      onToggle={({ currentTarget }) => {
        if (currentTarget.open) setOpened(true);
      }}
    >
      <summary>{label}</summary>
      {wasOpened && children()}
    </details>
  );
}
