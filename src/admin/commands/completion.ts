import type { Command } from "../command.ts";
import { bashCompletion } from "../completion/bash.ts";
import { fishCompletion } from "../completion/fish.ts";
import { zshCompletion } from "../completion/zsh.ts";

const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

/** For the commands before it, and itself. */
export function createCompletionCommand(commands: readonly Command[]): Command {
  const command: Command = {
    name: "completion",
    operand: "SHELL",
    choices: Object.keys(scripts),
    async run({ operand: shell }, { look }) {
      const write = scripts[shell as keyof typeof scripts]; // cast: one of the choices
      const text = write([...commands, command], look);
      return { value: { shell, script: text }, text };
    },
  };
  return command;
}
