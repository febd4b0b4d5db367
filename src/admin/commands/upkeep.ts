import { existsSync, renameSync, rmSync } from "node:fs";
import { restoreSqlite } from "../../storage/restore.ts";
import { type Command, exitCodes, UsageError } from "../command.ts";

export const upkeepCommands: readonly Command[] = [
  {
    name: "config check",
    summary: "Checks all settings without starting the server.",
    async run(_given, { settingProblems }) {
      const problems = settingProblems();
      if (problems.length === 0) {
        return { value: { ok: true, problems }, text: "All settings are valid.\n" };
      }
      const text = problems.map(({ name, message }) => `${name}: ${message}\n`).join("");
      return { value: { ok: false, problems }, text, exitCode: exitCodes.settings };
    },
  },
  {
    name: "backup",
    summary: "Copies the SQLite database to a new file, even while the server runs.",
    operand: "FILE",
    notes: ["The copy has the hashes of all tokens: protect it like the database."],
    async run({ operand: file }, { withStorage, sqliteFile }) {
      sqliteFile();
      if (file === "") throw new UsageError("FILE is missing");
      if (existsSync(file)) throw new Error(`${file} already exists`);
      // renamed at the end, so a file of that name is always a complete backup
      const partial = `${file}.partial`;
      const clear = () => {
        for (const end of ["", "-journal"]) rmSync(partial + end, { force: true });
      };
      // a backup that was killed leaves them
      clear();
      try {
        await withStorage((storage) => storage.backup(partial));
        renameSync(partial, file);
      } finally {
        clear();
      }
      return { value: { file }, text: `Saved to ${file}.\n` };
    },
  },
  {
    name: "restore",
    summary: "Replaces the SQLite database with a backup. Stop the server first.",
    operand: "FILE",
    notes: [
      "The backup is checked first. The replaced database is kept as .before-restore, with a number",
      "if that exists.",
    ],
    async run({ operand: from }, { terminal, sqliteFile }) {
      const file = sqliteFile();
      const { kept } = await restoreSqlite({ from, file, nowMs: terminal.clock.wallMs() });
      const before = kept === null ? "" : ` The replaced database is now ${kept}.`;
      return { value: { file, kept }, text: `Restored ${from} to ${file}.${before}\n` };
    },
  },
];
