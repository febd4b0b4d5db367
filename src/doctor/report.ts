import type { Language, Translate } from "../locales.ts";
import type { CheckId, Finding, Status } from "./check.ts";
import { mendLines } from "./mends.ts";
import type { ProxyKind } from "./proxies.ts";
import type { Checked, Examined } from "./run.ts";

/** What one check has come to, in words. */
export interface CheckReport {
  readonly id: CheckId;
  readonly status: Status;
  readonly seen: string;
  /** Empty if all is well. */
  readonly means: string;
  readonly mend: string;
}

export interface Report {
  readonly url: string;
  readonly checks: readonly CheckReport[];
}

const severity: readonly Status[] = ["skipped", "ok", "warning", "fault"];

/** The worst that was found. */
export function statusOfAll(findings: readonly { readonly status: Status }[]): Status {
  return findings.reduce<Status>(
    (worst, { status }) => (severity.indexOf(status) > severity.indexOf(worst) ? status : worst),
    "skipped",
  );
}

type Say = (key: string, params?: Finding["params"]) => string;

export function createReport(examined: Examined, url: URL, say: Say): Report {
  return { url: url.href, checks: reportsOf(examined, say) };
}

export function reportsOf({ checks, proxies }: Examined, say: Say): readonly CheckReport[] {
  return checks.map((checked) => reportOf(checked, proxies, say));
}

function reportOf({ id, findings }: Checked, proxies: readonly ProxyKind[], say: Say): CheckReport {
  const bad = findings.filter(({ status }) => status === "fault" || status === "warning");
  const seen = findings.map(({ key, params }) => say(`seen.${key}`, params));
  return {
    id,
    status: statusOfAll(findings),
    seen: seen.join(" "),
    means: bad.map(({ key, params }) => say(`means.${key}`, params)).join("\n"),
    mend: bad.map((finding) => mendOf(finding, proxies, say)).join("\n"),
  };
}

function mendOf({ key, params = {} }: Finding, proxies: readonly ProxyKind[], say: Say): string {
  const blocks = mendLines(key, params, proxies).map(({ where, text }) => `${where}:\n${text}`);
  return [say(`mend.${key}`, params), ...blocks].join("\n");
}

/** Texts below `doctor` in the language. */
export function createSay(translate: Translate, language: Language): Say {
  return (key, params) => translate(language, `doctor.${key}`, params ?? {});
}

/** One line a check, then what is wrong and what mends it. */
export function reportText({ url, checks }: Report, say: Say): string {
  const lines = checks.map(
    ({ id, status, seen }) => `${marks[status]} ${say(`check.${id}`)}: ${seen}`,
  );
  const bad = checks.filter(({ means }) => means !== "");
  const details = bad.map(({ id, status, means, mend }) =>
    [
      `${marks[status]} ${say(`check.${id}`)} (${say(`status.${status}`)})`,
      indented(means),
      `  ${say("mend_heading")}`,
      indented(indented(mend)),
    ].join("\n"),
  );
  const faults = checks.filter(({ status }) => status === "fault").length;
  const warnings = checks.filter(({ status }) => status === "warning").length;
  const sum = say("sum", { faults, warnings });
  return `${[url, lines.join("\n"), ...details, sum].join("\n\n")}\n`;
}

const marks: Readonly<Record<Status, string>> = { ok: "✓", warning: "!", fault: "✗", skipped: "-" };

function indented(text: string): string {
  return text.replaceAll(/^(?=.)/gm, "  ");
}
