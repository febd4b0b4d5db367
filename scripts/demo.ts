/**
 * Shows Parley without a key: the real server with a week of made-up calls, in front of services on
 * this machine that answer from a script.
 */
import { DEMO_HELP, DemoMistake, readDemoOptions } from "./demo/options.ts";
import type { Demo } from "./demo/start.ts";

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
  console.log(demo.keptIn === null ? "\nEnded, data removed." : `\nEnded, data in ${demo.keptIn}.`);
}

function introduction({ url, holder, holderToken, adminToken, keptIn }: Demo): string {
  return `Parley runs with a week of made-up calls and scripted answers. Nothing leaves this machine.

  Ask a question      ${url}
  Holder of a token   ${url}me
    token (${holder})  ${holderToken}
  Operator            ${url}admin
    ADMIN_TOKEN       ${adminToken}
  Status              ${url}status
  Documentation       ${url}docs

Try "Why is the sky blue?", "A Python script that reads a CSV file", or a question in Chinese or Russian.
Ctrl-C ends the demo${keptIn === null ? " and removes its data" : ""}.`;
}
