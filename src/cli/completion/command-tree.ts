import type { Argument, Command, Option } from 'commander';

/** What may follow an option or a command. */
export type CompletedValue =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  /** Paths, or text that nobody can guess. */
  | { readonly kind: 'file' | 'folder' | 'text' };

/** An option as shells complete it. */
export interface CompletedOption {
  /** With their dashes, such as `--mode`. */
  readonly flags: readonly string[];
  readonly description: string;
  /** Null for a switch. */
  readonly value: CompletedValue | null;
}

/** A command as shells complete it. */
export interface CompletedCommand {
  readonly name: string;
  readonly description: string;
  readonly options: readonly CompletedOption[];
  /** Null where no argument follows. */
  readonly value: CompletedValue | null;
}

/** Commands and options of a program, those of help included. */
export function commandTree(program: Command): CompletedCommand[] {
  const help = program.createHelp();
  const commands = help.visibleCommands(program);
  const names = commands.map((command) => command.name());
  return commands.map((command) => {
    const [argument] = command.registeredArguments;
    const isHelp = command.name() === 'help';
    return {
      name: command.name(),
      description: brief(command.description()),
      options: isHelp ? [] : help.visibleOptions(command).map(completedOption),
      value: isHelp ? { kind: 'words', words: names } : argumentValue(argument),
    };
  });
}

function completedOption(option: Option): CompletedOption {
  const { short, long, description } = option;
  const flags = [long, short].filter((flag) => flag !== undefined);
  return { flags, description: brief(description), value: optionValue(option) };
}

function optionValue({ argChoices, flags }: Option): CompletedValue | null {
  if (argChoices !== undefined) return { kind: 'words', words: argChoices };
  const [, name] = /[<[](.+)[>\]]$/.exec(flags) ?? [];
  return name === undefined ? null : { kind: kindOf(name) };
}

function argumentValue(argument: Argument | undefined): CompletedValue | null {
  if (argument === undefined) return null;
  if (argument.argChoices !== undefined) return { kind: 'words', words: argument.argChoices };
  return { kind: kindOf(argument.name()) };
}

/** The names that help gives to values that are paths. */
function kindOf(name: string): 'file' | 'folder' | 'text' {
  if (name === 'folder') return 'folder';
  return name === 'file' || name === 'path' ? 'file' : 'text';
}

/** The first part of a description. */
function brief(description: string): string {
  return description.split(/[;(:]/)[0]!.trim();
}
