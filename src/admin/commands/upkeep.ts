import { existsSync, renameSync, rmSync, statSync } from "node:fs";
import { restoreSqlite } from "../../storage/restore.ts";
import { type Command, CommandError, exitCodes, UsageError } from "../command.ts";
import { withProgress } from "../progress.ts";

export const upkeepCommands: readonly Command[] = [
  {
    name: "config check",
    async run(_given, { settingProblems, say }) {
      const problems = settingProblems();
      if (problems.length === 0) {
        return { value: { ok: true, problems }, text: `${say("result.settings_valid")}\n` };
      }
      const text = problems.map(({ name, message }) => `${name}: ${message}\n`).join("");
      return { value: { ok: false, problems }, text, exitCode: exitCodes.settings };
    },
  },
  {
    name: "backup",
    operand: "FILE",
    async run({ operand: file }, tools) {
      const totalBytes = sizeOf(tools.sqliteFile());
      if (file === "") throw new UsageError("operand_missing", { name: "FILE" });
      if (existsSync(file)) throw new CommandError("file_exists", { file });
      // renamed at the end, so a file of that name is always a complete backup
      const partial = `${file}.partial`;
      const clear = () => {
        for (const end of ["", "-journal"]) rmSync(partial + end, { force: true });
      };
      // a backup that was killed leaves them
      clear();
      try {
        await withProgress(tools, { task: "backup", file: partial, totalBytes }, () =>
          tools.withStorage((storage) => storage.backup(partial)),
        );
        renameSync(partial, file);
      } finally {
        clear();
      }
      return { value: { file }, text: `${tools.say("result.saved", { file })}\n` };
    },
  },
  {
    name: "restore",
    operand: "FILE",
    async run({ operand: from }, tools) {
      const { terminal, sqliteFile, say } = tools;
      const file = sqliteFile();
      const options = { from, file, nowMs: terminal.clock.wallMs() };
      const long = { file: `${file}.restoring`, totalBytes: sizeOf(from) };
      const { kept } = await withProgress(tools, { task: "restore", ...long }, () =>
        restoreSqlite(options),
      );
      const lines = [
        say("result.restored", { from, file }),
        ...(kept === null ? [] : [say("result.kept", { kept })]),
      ];
      return { value: { file, kept }, text: lines.map((line) => `${line}\n`).join("") };
    },
  },
];

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
