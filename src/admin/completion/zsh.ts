import type { Command } from "../command.ts";
import type { Look } from "../table.ts";
import {
  completedCommands,
  groupsOf,
  longNames,
  type NextWord,
  nextWords,
  quoted,
} from "./facts.ts";

export function zshCompletion(commands: readonly Command[], look: Look): string {
  const completed = completedCommands(commands, look);
  const described = (words: readonly NextWord[]) =>
    words.map(({ word, summary }) => quoted(`${word}:${oneLine(summary)}`)).join(" ");
  const seconds = groupsOf(commands).map(
    (one) => `    ${one}) found=(${described(nextWords(commands, one, look))}) ;;`,
  );
  const values = completed.flatMap(({ name, options }) =>
    options
      .filter(({ hasValue }) => hasValue)
      .map(
        (option) =>
          `    ${quoted(`${name} ${option.name}`)}) compadd -- ${option.choices.join(" ")}; return ;;`,
      ),
  );
  const rest = completed.map(({ name, options, choices }) => {
    const shown = options.map((option) => ({ word: option.name, summary: option.help }));
    const all = [...choices.map(quoted), described(shown)].join(" ");
    return `    ${quoted(name)}) found+=(${all}) ;;`;
  });
  const files = completed.filter(({ takesFile }) => takesFile).map(({ name }) => quoted(name));
  return `#compdef parley
# source <(parley completion zsh), behind compinit
_parley() {
  local name=$words[2] word=$words[CURRENT] before=$words[CURRENT-1]
  local -a found
  if [[ $word == --*=* ]]; then before=\${word%%=*}; compset -P '*='; fi
  case "$words[2] $words[3]" in ${longNames(commands)}) name="$words[2] $words[3]" ;; esac
  if (( CURRENT == 2 )); then
    found=(${described(nextWords(commands, null, look))})
    _describe parley found
    return
  fi
  (( CURRENT == 3 )) && case $words[2] in
${seconds.join("\n")}
  esac
  case "$name $before" in
${values.join("\n")}
  esac
  case "$name" in
${rest.join("\n")}
  esac
  case "$name" in ${files.join("|")}) [[ $word == -* ]] || _files ;; esac
  _describe -o parley found
}
compdef _parley parley
`;
}

function oneLine(text: string): string {
  return text.replaceAll("\n", " ");
}
