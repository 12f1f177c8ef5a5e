import type { CompletedCommand, CompletedOption, CompletedValue } from './command-tree.ts';

const HEAD = `# Completion of framepack for fish, printed by "framepack completion fish".
complete -c framepack -f`;

/** A fish script that completes commands, options, choices and paths. */
export function fishCompletion(commands: readonly CompletedCommand[]): string {
  return [
    HEAD,
    ...commands.map(
      ({ name, description }) =>
        `complete -c framepack -n __fish_use_subcommand -a ${name} -d ${quoted(description)}`,
    ),
    ...commands.flatMap(commandLines),
    '',
  ].join('\n');
}

function commandLines({ name, options, value }: CompletedCommand): string[] {
  const start = `complete -c framepack -n ${quoted(`__fish_seen_subcommand_from ${name}`)}`;
  const lines = options.map((option) => `${start} ${optionWords(option)}`);
  const values = value === null ? '' : argumentsOf(value);
  return values === '' ? lines : [...lines, `${start} ${values}`];
}

function optionWords({ flags, description, value }: CompletedOption): string {
  const names = flags.map((flag) =>
    flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
  );
  const needs = value === null ? [] : [value.kind === 'file' ? '-r' : '-x'];
  const values = value === null ? '' : argumentsOf(value);
  return [...names, ...needs, values, `-d ${quoted(description)}`]
    .filter((word) => word !== '')
    .join(' ');
}

function argumentsOf(value: CompletedValue): string {
  switch (value.kind) {
    case 'words':
      return `-a ${quoted(value.words.join(' '))}`;
    case 'file':
      return '-F';
    case 'folder':
      return "-a '(__fish_complete_directories)'";
    case 'text':
      return '';
  }
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}
