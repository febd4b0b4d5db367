import type { Command } from "../command.ts";
import type { Look } from "../table.ts";
import { completedCommands, groupsOf, longNames, nextWords, quoted } from "./facts.ts";

export function fishCompletion(commands: readonly Command[], look: Look): string {
  const words = [null, ...groupsOf(commands)].flatMap((first) =>
    nextWords(commands, first, look).map(
      ({ word, summary }) =>
        `complete -c parley -n ${quoted(`__parley_follows ${first ?? ""}`.trimEnd())} -a ${word} -d ${inFish(summary)}`,
    ),
  );
  const options = completedCommands(commands, look).flatMap((command) => {
    const line = `complete -c parley -n ${quoted(`test (__parley_name) = "${command.name}"`)}`;
    return [
      ...(command.takesFile ? [`${line} -F`] : []),
      ...(command.choices.length > 0 ? [`${line} -a ${quoted(command.choices.join(" "))}`] : []),
      ...command.options.map(({ name, help, hasValue, choices }) => {
        const value = hasValue ? " -x" : "";
        const values = choices.length > 0 ? ` -a ${quoted(choices.join(" "))}` : "";
        return `${line} -l ${name.slice(2)}${value}${values} -d ${inFish(help)}`;
      }),
    ];
  });
  return `# parley completion fish | source
function __parley_follows
  set -l words (commandline -opc)
  test "$words[2..-1]" = "$argv"
end
function __parley_name
  set -l words (commandline -opc) '' ''
  switch "$words[2] $words[3]"
    case ${longNames(commands).replaceAll("|", " ")}
      echo "$words[2] $words[3]"
    case '*'
      echo "$words[2]"
  end
end
complete -c parley -e
complete -c parley -f
${[...words, ...options].join("\n")}
`;
}

/** fish knows two escapes in single quotes. */
function inFish(text: string): string {
  return `'${text.replaceAll(/[\\']/g, "\\$&").replaceAll("\n", " ")}'`;
}
