import type { Command } from "../command.ts";
import type { Look } from "../table.ts";
import { completedCommands, groupsOf, longNames, nextWords, quoted } from "./facts.ts";

/** bash shows no descriptions. */
export function bashCompletion(commands: readonly Command[], look: Look): string {
  const completed = completedCommands(commands, look);
  const wordsOf = (first: string | null) =>
    quoted(
      nextWords(commands, first, look)
        .map(({ word }) => word)
        .join(" "),
    );
  const seconds = groupsOf(commands).map((one) => `    ${one}) found=${wordsOf(one)} ;;`);
  const values = completed.flatMap(({ name, options }) =>
    options
      .filter(({ hasValue }) => hasValue)
      .map(
        (option) =>
          `    ${quoted(`${name} ${option.name}`)}) __parley_offer ${quoted(option.choices.join(" "))}; return ;;`,
      ),
  );
  const rest = completed.map(({ name, options, choices }) => {
    const all = [...choices, ...options.map((option) => option.name)];
    return `    ${quoted(name)}) found="$found "${quoted(all.join(" "))} ;;`;
  });
  const files = completed.filter(({ takesFile }) => takesFile).map(({ name }) => quoted(name));
  return `# source <(parley completion bash)
_parley() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} name=\${COMP_WORDS[1]} found=
  # bash takes --by=day for three words
  if [[ $word == = ]]; then word=; elif [[ $before == = ]]; then before=\${COMP_WORDS[COMP_CWORD-2]}; fi
  __parley_offer() { COMPREPLY=($(compgen -W "$1" -- "$word")); }
  case "$name \${COMP_WORDS[2]}" in ${longNames(commands)}) name="$name \${COMP_WORDS[2]}" ;; esac
  if ((COMP_CWORD == 1)); then __parley_offer ${wordsOf(null)}; return; fi
  ((COMP_CWORD == 2)) && case "\${COMP_WORDS[1]}" in
${seconds.join("\n")}
  esac
  case "$name $before" in
${values.join("\n")}
  esac
  case "$name" in
${rest.join("\n")}
  esac
  __parley_offer "$found"
  case "$name" in ${files.join("|")})
    if [[ $word != -* ]]; then
      compopt -o filenames 2>/dev/null
      COMPREPLY+=($(compgen -f -- "$word"))
    fi ;;
  esac
}
complete -F _parley parley
`;
}
