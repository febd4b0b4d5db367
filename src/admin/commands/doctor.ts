import { type CheckId, checkIds } from "../../doctor/check.ts";
import { createTranslate } from "../../locales.ts";
import { type Command, exitCodes, type Given, UsageError } from "../command.ts";
import { createLocal, doctorSettings } from "../doctor-local.ts";
import type { Tools } from "../tools.ts";

const LIMIT_MS = 28_000;
const LONG_LIMIT_MS = 150_000;
/** What the command may do as the operator ends so long after it. */
const SESSION_MARGIN_MS = 30_000;
const SILENCES = [15] as const;
const LONG_SILENCES = [15, 65, 125] as const;

export const doctorCommand: Command = {
  name: "doctor",
  // people give it without --url, as to curl
  operand: "[URL]",
  options: {
    url: { value: "URL" },
    long: { value: null },
    strict: { value: null },
    only: { value: "ID,...", choices: checkIds, hasSeveral: true },
  },
  async run(given, tools) {
    const url = urlIn(given);
    const only = idsIn(given);
    const isLong = given.fields.long === true;
    return diagnose(url, only, isLong, given.fields.strict === true, tools);
  },
};

async function diagnose(
  url: URL,
  only: readonly CheckId[],
  isLong: boolean,
  isStrict: boolean,
  tools: Tools,
) {
  // few commands need what they load
  const { callPublic, below } = await import("../../doctor/public-call.ts");
  const { examine } = await import("../../doctor/run.ts");
  const { createReport, createSay, reportText } = await import("../../doctor/report.ts");
  const { terminal } = tools;
  const settings = tools.settings(doctorSettings);
  const say = createSay(createTranslate(), tools.look.texts.language);
  const limitMs = isLong ? LONG_LIMIT_MS : LIMIT_MS;
  const world = {
    url,
    local: createLocal(settings, tools, limitMs + SESSION_MARGIN_MS),
    clock: terminal.clock,
    times: { silences: isLong ? LONG_SILENCES : SILENCES, limitMs },
    ask: (path: string, options = {}) => callPublic(below(url, path), options),
  };
  terminal.complain(say("progress.start", { url: url.href }));
  const examined = await examine(world, only, (id) =>
    terminal.complain(say("progress.done", { check: say(`check.${id}`) })),
  );
  const report = createReport(examined, url, say);
  const bad = isStrict ? ["fault", "warning"] : ["fault"];
  const isBad = report.checks.some(({ status }) => bad.includes(status));
  return {
    value: report,
    text: reportText(report, say),
    exitCode: isBad ? exitCodes.failure : 0,
  };
}

function urlIn({ fields, operand }: Given): URL {
  const { url: text = operand } = fields;
  if (operand !== "" && operand !== text) {
    throw new UsageError("operand_surplus", { name: operand });
  }
  if (text === "") {
    throw new UsageError("url_missing");
  }
  const url = URL.parse(String(text));
  const isHttp = url?.protocol === "http:" || url?.protocol === "https:";
  if (url === null || !isHttp || url.search !== "" || url.hash !== "") {
    throw new UsageError("url_invalid");
  }
  if (url.username !== "" || url.password !== "") {
    throw new UsageError("url_with_user");
  }
  while (url.pathname.length > 1 && url.pathname.endsWith("/")) {
    url.pathname = url.pathname.slice(0, -1);
  }
  return url;
}

function idsIn({ fields }: Given): readonly CheckId[] {
  if (fields.only === undefined) return checkIds;
  const wanted = String(fields.only)
    .split(",")
    .map((id) => id.trim());
  return checkIds.filter((id) => wanted.includes(id));
}
