import type { CompletedCommand, CompletedOption, CompletedValue } from './command-tree.ts';

const HEAD = `#compdef framepack
# Completion of framepack for zsh, printed by "framepack completion zsh".

_framepack() {
  local -a commands
  commands=(`;

const MIDDLE = `  )
  if (( CURRENT == 2 )); then
    _describe -t commands command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in`;

const TAIL = `  esac
}

if [[ $funcstack[1] == _framepack ]]; then
  _framepack "$@"
else
  compdef _framepack framepack
fi
`;

/** A zsh script that completes commands, options, choices and paths, for \`$fpath\` or to be sourced. */
export function zshCompletion(commands: readonly CompletedCommand[]): string {
  return [
    HEAD,
    ...commands.map(({ name, description }) => `    ${quoted(`${name}:${description}`)}`),
    MIDDLE,
    ...commands.flatMap(commandCase),
    TAIL,
  ].join('\n');
}

function commandCase({ name, options, value }: CompletedCommand): string[] {
  const specs = options.flatMap(optionSpecs);
  if (value !== null) specs.push(`1:argument:${actionOf(value)}`);
  if (specs.length === 0) return [];
  const lines = specs.map((spec) => `        ${quoted(spec)}`).join(' \\\n');
  return [`    ${name})`, `      _arguments \\\n${lines}`, '      ;;'];
}

function optionSpecs({ flags, description, value }: CompletedOption): string[] {
  const help = `[${description.replace(/[\\[\]]/g, '\\$&')}]`;
  const action = value === null ? '' : `:value:${actionOf(value)}`;
  return flags.map((flag) => `${flag}${value === null ? '' : '='}${help}${action}`);
}

function actionOf(value: CompletedValue): string {
  switch (value.kind) {
    case 'words':
      return `(${value.words.join(' ')})`;
    case 'file':
      return '_files';
    case 'folder':
      return '_files -/';
    case 'text':
      return '';
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
