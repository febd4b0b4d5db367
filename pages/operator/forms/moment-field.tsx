import { inUnits } from "../../shared/format.ts";
import { currentLanguage, t } from "../../shared/texts.ts";
import { serverNow } from "../server-clock.ts";
import { type FieldProps, TextField } from "./field.tsx";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const LOCAL_LENGTH = "2026-01-01T00:00".length;
/** Without it a year may have six digits. */
export const MAX_MOMENT = "9999-12-31T23:59";

/** The moment as the browser's field has it: local time, to the minute. */
export function localText(iso: string | null): string {
  if (iso === null) return "";
  const at = new Date(iso);
  const local = new Date(at.getTime() - at.getTimezoneOffset() * MINUTE_MS);
  return local.toISOString().slice(0, LOCAL_LENGTH);
}

/** The moment as the API takes it; what is no moment is left for the API to refuse. */
export function isoOf(local: string): string {
  const at = new Date(local);
  return Number.isNaN(at.getTime()) ? local : at.toISOString();
}

function utcText(local: string): string {
  const at = new Date(local);
  if (Number.isNaN(at.getTime())) return "";
  const style = {
    dateStyle: "medium",
    timeStyle: "short",
    hourCycle: "h23",
    timeZone: "UTC",
  } as const;
  return `${new Intl.DateTimeFormat(currentLanguage(), style).format(at)} UTC`;
}

interface MomentFieldProps extends FieldProps {
  /** What nothing means. */
  readonly unset: string;
  /** Spans from now that one press sets. */
  readonly days?: readonly number[];
}

/** A date and time on the reader's clock, with what that is in UTC. */
export function MomentField({ unset, days = [], ...props }: MomentFieldProps) {
  const { form, name } = props;
  const local = form.draft[name] ?? "";
  const isEmpty = local === "" && !form.unfinished.includes(name);
  const clear = () => {
    // a part of a moment is empty for the draft already
    const input = document.getElementById(form.idOf(name));
    if (input instanceof HTMLInputElement) input.value = "";
    form.set(name, "");
  };
  return (
    <TextField
      {...props}
      hint={isEmpty ? unset : utcText(local)}
      more={{ type: "datetime-local", max: MAX_MOMENT }}
    >
      {days.length > 0 && (
        <div class="row">
          {days.map((number) => (
            <button
              key={number}
              type="button"
              class="plain"
              onClick={() => {
                const at = serverNow() + number * DAY_MS;
                form.set(name, localText(new Date(at).toISOString()));
              }}
            >
              {inUnits(number, "day")}
            </button>
          ))}
          {!isEmpty && (
            <button type="button" class="plain" onClick={clear}>
              {t("operator.form.clear")}
            </button>
          )}
        </div>
      )}
    </TextField>
  );
}
