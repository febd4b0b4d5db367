import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { t } from "../../shared/texts.ts";
import { Denied } from "../api.ts";
import { hold, release } from "./held.ts";

/** What the fields hold, as it was typed. */
export type Draft = Readonly<Record<string, string>>;

export interface FormState {
  readonly draft: Draft;
  readonly isDirty: boolean;
  /** Fields whose input holds a part of a value, which is empty for the draft. */
  readonly unfinished: readonly string[];
  readonly isBusy: boolean;
  readonly denied: Denied | null;
  /** Of the field's element. */
  idOf(name: string): string;
  /** What is wrong with the field; null: nothing. */
  problemOf(name: string): string | null;
  set(name: string, value: string): void;
  /** Looks at the inputs again: not all that is typed is told as an input. */
  look(event: FormEvent): void;
  submit(event: FormEvent): void;
}

type FormEvent = Event & { readonly currentTarget: HTMLFormElement };

interface FormPlan<T> {
  /** What is stored. Whatever differs from it is unsaved. */
  readonly initial: Draft;
  readonly save: (draft: Draft) => Promise<T>;
  /** Nothing is unsaved any more. */
  readonly onSaved: (saved: T) => void;
}

/** A draft that is sent once at a time, and asks before it is lost. */
export function useForm<T>({ initial, save, onSaved }: FormPlan<T>): FormState {
  const id = useId();
  const [draft, setDraft] = useState(initial);
  const [denied, setDenied] = useState<Denied | null>(null);
  const [isBusy, setBusy] = useState(false);
  // two presses of Enter may come before the next drawing
  const isSending = useRef(false);
  const [unfinished, setUnfinished] = useState<readonly string[]>([]);
  const isDirty =
    unfinished.length > 0 ||
    Object.entries(draft).some(([name, value]) => value !== (initial[name] ?? ""));
  // before anything else can be pressed
  useLayoutEffect(() => (isDirty ? hold() : release()), [isDirty]);
  useLayoutEffect(() => release, []);
  const send = async () => {
    isSending.current = true;
    setBusy(true);
    try {
      const saved = await save(draft);
      setDenied(null);
      release();
      onSaved(saved);
    } catch (error) {
      setDenied(error instanceof Denied ? error : new Denied(0, String(error), null));
    } finally {
      isSending.current = false;
      setBusy(false);
    }
  };
  return {
    draft,
    isDirty,
    unfinished,
    isBusy,
    denied,
    idOf: (name) => `${id}-${name}`,
    problemOf: (name) => (denied !== null && isAbout(denied, name) ? denied.message : null),
    set: (name, value) => {
      setDraft((before) => ({ ...before, [name]: value }));
      setUnfinished((before) => before.filter((one) => one !== name));
    },
    look: ({ currentTarget }) => {
      const found = unfinishedIn(currentTarget, id);
      // drawn between a tick's two events, the tick would be taken back
      setUnfinished((before) => (String(found) === String(before) ? before : found));
    },
    submit(event) {
      event.preventDefault();
      if (isSending.current) return;
      const [missing] = unfinishedIn(event.currentTarget, id);
      if (missing === undefined) void send();
      else setDenied(new Denied(0, t("operator.form.unfinished"), missing));
    },
  };
}

/** The value of such an input is empty, as if it had been cleared. */
function unfinishedIn(form: HTMLFormElement, id: string): readonly string[] {
  return [...form.querySelectorAll("input")]
    .filter(({ validity }) => validity.badInput)
    .map((input) => input.id.slice(id.length + 1));
}

/** `models[3]` and `headers.x-a` are about `models` and `headers`. */
function isAbout({ field }: Denied, name: string): boolean {
  return (
    field === name || (field?.startsWith(name) === true && /[.[]/.test(field.charAt(name.length)))
  );
}

/** The fields that were changed; null takes a value away. */
export function changesIn(initial: Draft, draft: Draft): Record<string, string | null> {
  const changed = Object.entries(draft).filter(([name, value]) => value !== (initial[name] ?? ""));
  return Object.fromEntries(changed.map(([name, value]) => [name, value === "" ? null : value]));
}

/** The fields that hold something. */
export function filledIn(draft: Draft): Record<string, string> {
  return Object.fromEntries(Object.entries(draft).filter(([, value]) => value !== ""));
}
