import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../shared/texts.ts";
import { Confirm } from "./confirm.tsx";
import type { Operation } from "./document.ts";
import { Inputs } from "./inputs.tsx";
import { Credential, type Keys, keyFor } from "./keys.tsx";
import { ReplyView } from "./reply-view.tsx";
import { addressOf, type Filled, ownHeadersOf, parsedBody, withKeyIn } from "./request.ts";
import { type Outgoing, type Reply, send } from "./send.ts";

interface TryProps {
  readonly operation: Operation;
  readonly filled: Filled;
  readonly keys: Keys;
  readonly onFill: (change: Partial<Filled>) => void;
  readonly onKeys: (keys: Keys) => void;
}

/** Sends the request to this server. */
export function Try({ operation, filled, keys, onFill, onKeys }: TryProps) {
  const { reply, isOpen, start, stop } = useReply();
  const dialog = useRef<HTMLDialogElement>(null);
  const danger = dangerOf(operation);
  const takesJson = operation.json !== null && !filled.usesForm;
  const mayBeSent = !takesJson || parsedBody(filled) !== undefined;
  const begin = () => start(outgoingOf(operation, filled, keys));
  return (
    <section>
      <h2>{t("viewer.try")}</h2>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isOpen) stop();
          else if (danger !== null) dialog.current?.showModal();
          else begin();
        }}
      >
        <Inputs operation={operation} filled={filled} onChange={onFill} />
        <Credential needs={operation.needs} keys={keys} onChange={onKeys} />
        <div class="row">
          {/* one button, so that the focus stays */}
          <button type="submit" class="main" disabled={!isOpen && !mayBeSent}>
            {t(isOpen ? "visitor.stop" : "viewer.send")}
          </button>
        </div>
      </form>
      {danger !== null && (
        <Confirm
          dialog={dialog}
          text={t(`viewer.confirm.${danger}`)}
          request={`${operation.method} ${addressOf(operation, filled).slice(1)}`}
          onSend={begin}
        />
      )}
      {reply !== null && <ReplyView reply={reply} />}
    </section>
  );
}

/** Why the reader is asked first; null: no reason. */
function dangerOf({ method, path }: Operation): "delete" | "admin" | null {
  if (method === "DELETE") return "delete";
  return path === "/admin" || path.startsWith("/admin/") ? "admin" : null;
}

function outgoingOf(operation: Operation, filled: Filled, keys: Keys): Outgoing {
  const credential = keyFor(operation.needs, keys);
  return {
    method: operation.method,
    address: addressOf(operation, filled),
    headers: ownHeadersOf(operation, filled),
    credential,
    body: bodyOf(operation, filled, credential),
  };
}

function bodyOf({ json }: Operation, filled: Filled, credential: string) {
  if (!filled.usesForm) return json === null ? null : withKeyIn(filled.body, credential);
  const form = new FormData();
  const given = Object.entries(filled.form).filter(([, value]) => value !== "");
  for (const [name, value] of given) form.append(name, value);
  for (const [name, file] of Object.entries(filled.files)) form.append(name, file);
  return form;
}

/** The newest request and what has come of it. */
function useReply() {
  const [reply, setReply] = useState<Reply | null>(null);
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);
  const isOpen = reply?.state === "waiting" || reply?.state === "open";
  return {
    reply,
    isOpen,
    start: (outgoing: Outgoing) => {
      running.current?.abort();
      const own = new AbortController();
      running.current = own;
      void send(outgoing, own.signal, (next) => {
        if (running.current === own) setReply(next);
      });
    },
    stop: () => running.current?.abort(),
  };
}
