import { inTime } from "../../shared/format.ts";
import { t } from "../../shared/texts.ts";
import { useAsked } from "../asked.ts";
import { hrefOf } from "../fragment.ts";

interface ShownUpstream {
  readonly name: string;
  readonly state: "closed" | "open" | "probe" | null;
  readonly retry_after_seconds: number | null;
}

/** A line for each upstream that is left alone because it failed. */
export function RestingUpstreams({ version }: { readonly version: number }) {
  const { answer } = useAsked<{ readonly upstreams: readonly ShownUpstream[] }>(
    "upstreams",
    version,
  );
  const resting = answer?.upstreams.filter(({ state }) => state === "open") ?? [];
  return (
    <>
      {resting.map(({ name, retry_after_seconds: seconds }) => (
        <p key={name} class="notice">
          <a href={hrefOf("routing")}>{t("operator.overview.resting", { name })}</a>{" "}
          {seconds !== null && t("operator.overview.probed", { wait: inTime(seconds) })}
        </p>
      ))}
    </>
  );
}
