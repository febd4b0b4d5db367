import { existsSync, renameSync, rmSync } from "node:fs";
import { restoreSqlite } from "../../storage/restore.ts";
import { type Command, CommandFailed } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { json } from "../table.ts";

export const upkeepCommands: readonly Command[] = [
  {
    name: "config check",
    summary: "Checks all settings as a start would, and starts nothing.",
    operands: [],
    options: {},
    async run(given, terminal, { settingProblems }) {
      const problems = settingProblems();
      const ok = problems.length === 0;
      const text = problems.map(({ name, message }) => `${name}: ${message}\n`).join("");
      if (given.json) await terminal.write(json({ ok, problems }));
      else await terminal.write(ok ? "All settings are right.\n" : text);
      if (!ok) throw new CommandFailed(exitCodes.settings);
    },
  },
  {
    name: "backup",
    summary: "Copies the SQLite database to a new file, also while the server runs.",
    operands: ["FILE"],
    options: {},
    notes: ["It holds all tokens' digests: keep it as safe as the database."],
    async run(given, terminal, { withDesk, sqliteFile }) {
      const [file = ""] = given.operands;
      sqliteFile();
      if (existsSync(file)) throw new Error(`${file} exists already`);
      // A file of that name is a whole backup, whatever happens on the way.
      const partial = `${file}.partial`;
      try {
        await withDesk(({ storage }) => storage.backup(partial));
        renameSync(partial, file);
      } finally {
        rmSync(partial, { force: true });
      }
      await terminal.write(given.json ? json({ file }) : `Saved to ${file}.\n`);
    },
  },
  {
    name: "restore",
    summary: "Puts a backup in the place of the SQLite database. Stop the server first.",
    operands: ["FILE"],
    options: {},
    notes: ["The backup is checked before, and what it replaces is kept as .before-restore."],
    async run(given, terminal, { sqliteFile }) {
      const [from = ""] = given.operands;
      const file = sqliteFile();
      const { kept } = await restoreSqlite({ from, file, nowMs: terminal.clock.wallMs() });
      if (given.json) return terminal.write(json({ file, kept }));
      const before = kept === null ? "" : ` What was there is now ${kept}.`;
      await terminal.write(`${from} is restored to ${file}.${before}\n`);
    },
  },
];
