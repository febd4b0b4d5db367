import { t } from "../../shared/texts.ts";
import { type ChangedField, changedFields } from "./fields.ts";

/** As `GET /admin/changes` lists them. */
export interface Change {
  readonly id: string | number;
  readonly at: string;
  readonly kind: string;
  readonly subject: string;
  readonly action: string;
  readonly detail: unknown;
}

export function ChangeDetails({ change: { detail } }: { readonly change: Change }) {
  const fields = changedFields(detail);
  if (fields.length === 0) return <p class="quiet">{t("operator.changes.no_detail")}</p>;
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">{t("operator.changes.field")}</th>
          <th scope="col">{t("operator.changes.before")}</th>
          <th scope="col">{t("operator.changes.after")}</th>
        </tr>
      </thead>
      <tbody>
        {fields.map((field) => (
          <Field key={field.name} field={field} />
        ))}
      </tbody>
    </table>
  );
}

function Field({ field: { name, before, after } }: { readonly field: ChangedField }) {
  return (
    <tr>
      <th scope="row">
        <code>{name}</code>
      </th>
      <td class="value">{before === null ? "–" : <del>{before}</del>}</td>
      <td class="value">{after === null ? "–" : <ins>{after}</ins>}</td>
    </tr>
  );
}
