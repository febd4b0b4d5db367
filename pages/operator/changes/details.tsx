import { t } from "../../shared/texts.ts";
import { hrefOf } from "../fragment.ts";
import { type ChangedField, changedFields } from "./fields.ts";

/** As `GET /admin/changes` lists them. */
export interface Change {
  readonly id: string;
  readonly at: string;
  readonly kind: string;
  readonly subject: string;
  readonly action: string;
  readonly detail: ChangeDetail;
}

interface ChangeDetail {
  /** Of a token. */
  readonly name?: string;
  /** Null: it was not there, or is gone. */
  readonly before: unknown;
  readonly after: unknown;
}

/** Where each kind is shown in this page. */
const places: Readonly<Record<string, readonly string[]>> = {
  token: ["tokens"],
  group: ["groups", "show"],
  price: ["prices", "model"],
  upstream: ["routing", "upstream"],
  route: ["routing", "route"],
};

/** A thing that is gone has no place to lead to. */
export function ChangedThing({ change: { kind, subject, detail } }: { readonly change: Change }) {
  const words = detail.name ?? subject;
  const place = places[kind];
  if (place === undefined || detail.after === null) return <>{words}</>;
  return <a href={hrefOf(...place, subject)}>{words}</a>;
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
