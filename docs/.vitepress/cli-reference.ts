import type { Command, Option } from 'commander';

const HEADER = `---
title: Command line
group: Reference
order: 1
---
# Command line

<!-- Written from the commands by \`npx vitest run --project unit test/cli/program.test.ts -u\`; do not edit. -->

From a clone the program is \`node dist/cli/main.js\`; where the package is installed it is \`npx framepack\`. Every command
also has \`--help\`.
`;

/** The page of the command line, in Markdown: every command with its arguments and options, and the exit codes. */
export function cliReference(program: Command): string {
  const help = program.createHelp();
  const commands = help.visibleCommands(program).filter((command) => command.name() !== 'help');
  const summary = commands.map(
    (command) =>
      `| [\`${command.name()}\`](#${anchorOf(program, command)}) | ${prose(command.description())} |`,
  );
  return [
    HEADER,
    ['| command | what it does |', '|---|---|', ...summary, ''].join('\n'),
    ...commands.map((command) => chapter(program, command)),
    exitCodes(program),
  ].join('\n');
}

/** As VitePress and GitHub make it of the heading. */
function anchorOf(program: Command, command: Command): string {
  return `${program.name()}-${command.name()}`;
}

function chapter(program: Command, command: Command): string {
  const help = command.createHelp();
  const options = help.visibleOptions(command).filter(({ long }) => long !== '--help');
  const args = command.registeredArguments.map(
    (argument) => `| \`${argument.name()}\` | ${prose(argument.description)} |`,
  );
  return [
    `## ${program.name()} ${command.name()}`,
    '',
    `${sentence(prose(command.description()))}`,
    '',
    `Usage: \`${program.name()} ${command.name()} ${command.usage()}\``,
    '',
    ...table('argument', args),
    ...table('option', options.map(optionRow)),
  ].join('\n');
}

function table(kind: string, rows: readonly string[]): string[] {
  return rows.length === 0 ? [] : [`| ${kind} | what it is |`, '|---|---|', ...rows, ''];
}

function optionRow(option: Option): string {
  const choices = option.argChoices?.map((choice) => `\`${choice}\``).join(', ');
  const end = choices === undefined ? '' : `; one of ${choices}`;
  return `| \`${option.flags}\` | ${prose(option.description)}${end} |`;
}

/** The part of the help behind the commands that tells exit codes, as a table. */
function exitCodes(program: Command): string {
  let text = '';
  program.configureOutput({
    writeOut: (part) => {
      text += part;
    },
  });
  program.outputHelp();
  const rows = /\nExit codes:\n([\s\S]+)$/.exec(text)![1]!.trim().split('\n');
  const cells = rows.map((row) => row.trim().split(/ {2,}/) as [string, string]);
  return [
    '## Exit codes',
    '',
    '| code | meaning |',
    '|---|---|',
    ...cells.map(([codes, meaning]) => `| ${codes} | ${prose(meaning)} |`),
    '',
  ].join('\n');
}

function sentence(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}.`;
}

/** Text of help as Markdown that shows the same characters, also inside a table. */
function prose(text: string): string {
  return text.replaceAll(/[|*`\\]/g, '\\$&').replaceAll('<', '&lt;');
}
