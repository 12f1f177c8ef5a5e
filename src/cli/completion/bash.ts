import type { CompletedCommand, CompletedValue } from './command-tree.ts';

const HEAD = `# Completion of framepack for bash, printed by "framepack completion bash".

_framepack_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2"); }

_framepack_paths() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen "$1" -- "$2")
}

_framepack() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} command=\${COMP_WORDS[1]}
  COMPREPLY=()
  # --option=value arrives as three words.
  if [[ $cur == = ]]; then
    cur=
  elif [[ $prev == = ]]; then
    prev=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
`;

const TAIL = `}

complete -F _framepack framepack
`;

/** A bash script that completes commands, options, choices and paths. */
export function bashCompletion(commands: readonly CompletedCommand[]): string {
  const names = commands.map(({ name }) => name);
  return [
    HEAD,
    '  if ((COMP_CWORD == 1)); then',
    `    _framepack_words '${[...names, '--help', '--version'].join(' ')}' "$cur"`,
    '    return',
    '  fi',
    '  case "$command $prev" in',
    ...commands.flatMap(optionCases),
    '  esac',
    '  if [[ $cur == -* ]]; then',
    '    case $command in',
    ...commands.map(flagCase),
    '    esac',
    '    return',
    '  fi',
    '  case $command in',
    ...commands.flatMap(({ name, value }) =>
      value === null ? [] : [`    ${name}) ${replyOf(value)} ;;`],
    ),
    '  esac',
    TAIL,
  ].join('\n');
}

/** What follows the options of a command. */
function optionCases({ name, options }: CompletedCommand): string[] {
  return options.flatMap(({ flags, value }) => {
    if (value === null) return [];
    const pattern = flags.map((flag) => `'${name} ${flag}'`).join(' | ');
    return [`    ${pattern}) ${replyOf(value)}; return ;;`];
  });
}

function flagCase({ name, options }: CompletedCommand): string {
  const flags = options.flatMap((option) => option.flags);
  return `      ${name}) _framepack_words '${flags.join(' ')}' "$cur" ;;`;
}

function replyOf(value: CompletedValue): string {
  switch (value.kind) {
    case 'words':
      return `_framepack_words '${value.words.join(' ')}' "$cur"`;
    case 'file':
      return '_framepack_paths -f "$cur"';
    case 'folder':
      return '_framepack_paths -d "$cur"';
    case 'text':
      return ':';
  }
}
