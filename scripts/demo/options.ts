/** What the command line of the demo may say. */
import { parseArgs } from "node:util";

export interface DemoOptions {
  /** 0: any that is free. */
  readonly port: number;
  /** Keeps the data there; null: they are removed at the end. */
  readonly keep: string | null;
}

export const DEMO_HELP = `Usage: npm run demo -- [options]

Runs Parley with a week of made-up calls and scripted answers. It needs no key and no network.

  --port NUMBER  listen on this port: 5000 unless given, 0 for any that is free
  --keep FOLDER  keep the data in this folder, which must be empty
  --help         print this help
`;

const USUAL_PORT = 5_000;
const MAX_PORT = 65_535;
/** With one of these, data could get into a database that somebody uses. */
const DATABASES = ["DATABASE_URL", "DATABASE_ADDRESS", "DATABASE_URL_FILE"];

/** The command line, or the environment, is wrong; the message says how. */
export class DemoMistake extends Error {
  override readonly name = "DemoMistake";
}

/** Null: help is asked for. */
export function readDemoOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): DemoOptions | null {
  const types = {
    port: { type: "string" },
    keep: { type: "string" },
    help: { type: "boolean" },
  } as const;
  const { values } = parseArgs({ args: [...args], options: types });
  if (values.help === true) return null;
  const database = DATABASES.find((name) => (env[name] ?? "") !== "");
  if (database !== undefined) {
    throw new DemoMistake(
      `${database} is set. The demo writes only into a database of its own: unset it first.`,
    );
  }
  const port = Number(values.port ?? USUAL_PORT);
  if (!/^\d*$/.test(values.port ?? "") || values.port === "" || port > MAX_PORT) {
    throw new DemoMistake(`--port ${values.port}: give a number from 0 to ${MAX_PORT}.`);
  }
  return { port, keep: values.keep ?? null };
}
