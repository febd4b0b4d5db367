/**
 * Shows Parley without a key: the real server with a week of made-up calls, in front of services on
 * this machine that answer from a script.
 */
import stringWidth from "string-width";
import { DEMO_HELP, DemoMistake, readDemoOptions } from "./demo/options.ts";
import type { Demo } from "./demo/start.ts";
import { demoWords } from "./demo/words.ts";

const WRONG_USAGE = 2;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

const stopped = new Promise<"stopped">((resolve) => {
  // also while it starts; and a second Ctrl-C does not leave the server behind
  for (const signal of SIGNALS) process.on(signal, () => resolve("stopped"));
});
try {
  const options = readDemoOptions(process.argv.slice(2), process.env);
  if (options === null) console.log(DEMO_HELP);
  else {
    // what is refused, is refused at once
    const { startDemo } = await import("./demo/start.ts");
    await run(await startDemo(options));
  }
} catch (error) {
  if (!(error instanceof Error)) throw error;
  const isUsage = "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS_");
  if (!isUsage && !(error instanceof DemoMistake)) throw error;
  console.error(`demo: ${error.message}`);
  process.exitCode = isUsage ? WRONG_USAGE : 1;
}

async function run(demo: Demo): Promise<void> {
  console.log(introduction(demo));
  const why = await Promise.race([demo.ended, stopped]);
  await demo.close();
  if (why !== "stopped") throw new DemoMistake("the server has ended");
  const end = demo.keptIn === null ? demoWords.ended : demoWords.kept(demo.keptIn);
  console.log(`\n${end}`);
}

/** A line per page: what it is, and where. */
function introduction({ url, holder, holderToken, adminToken, keptIn }: Demo): string {
  const rows: readonly (readonly [string, string])[] = [
    [demoWords.ask, url],
    [demoWords.programs, `${url}api`],
    [demoWords.holder, `${url}me`],
    [`  ${demoWords.token(holder)}`, holderToken],
    [demoWords.operator, `${url}admin`],
    ["  ADMIN_TOKEN", adminToken],
    [demoWords.status, `${url}status`],
    [demoWords.docs, `${url}docs`],
  ];
  const width = Math.max(...rows.map(([what]) => stringWidth(what)));
  const lines = rows.map(
    ([what, where]) => `  ${what}${" ".repeat(width - stringWidth(what))}  ${where}`,
  );
  const end = keptIn === null ? demoWords.endAndRemove : demoWords.end;
  return [demoWords.intro, "", ...lines, "", demoWords.hint, end].join("\n");
}
