import { CopyButton } from "../shared/copy.tsx";
import { useSecondsUntil } from "../shared/countdown.ts";
import { count, inTime } from "../shared/format.ts";
import { t } from "../shared/texts.ts";
import { laidOut, MAX_SHOWN_CHARACTERS, type Reply } from "./send.ts";

/** What the server answers, as it comes. Read aloud: its state, not each piece. */
export function ReplyView({ reply }: { readonly reply: Reply }) {
  const { state, status, waitedMs, headers, reason, waitUntil } = reply;
  const seconds = useSecondsUntil(waitUntil);
  return (
    <section class="api-reply" aria-label={t("viewer.answer")}>
      <div role="status">
        {status !== 0 && <strong>{t("viewer.status", { status, wait: count(waitedMs) })}</strong>}{" "}
        {state !== "failed" && state !== "cut" && t(`viewer.state.${state}`)}
      </div>
      <div role="alert" class="warning">
        {reason}
      </div>
      {seconds > 0 && <p class="quiet">{t("visitor.wait", { wait: inTime(seconds) })}</p>}
      {headers.length > 0 && (
        <table class="api-fields" aria-label={t("viewer.in.header")}>
          <tbody>
            {headers.map(([name, value]) => (
              <tr key={name}>
                <th scope="row">
                  <code>{name}</code>
                </th>
                <td>{value}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <AnswerText reply={reply} />
    </section>
  );
}

function AnswerText({ reply: { state, type, text, bytes } }: { readonly reply: Reply }) {
  if (bytes === 0) return null;
  if (text === "") return <p>{t("viewer.bytes", { type, bytes: count(bytes) })}</p>;
  const shown = state === "done" ? laidOut(text) : text;
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with keys */}
      <pre class={state === "open" ? "api-answer open" : "api-answer"} tabIndex={0}>
        {shown}
      </pre>
      {text.length >= MAX_SHOWN_CHARACTERS && (
        <p class="warning">{t("viewer.more", { characters: count(MAX_SHOWN_CHARACTERS) })}</p>
      )}
      <CopyButton text={() => shown} />
    </>
  );
}
