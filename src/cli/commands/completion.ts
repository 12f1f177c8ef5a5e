import { Argument, type Command } from 'commander';
import { bashCompletion } from '../completion/bash.ts';
import { type CompletedCommand, commandTree } from '../completion/command-tree.ts';
import { fishCompletion } from '../completion/fish.ts';
import { zshCompletion } from '../completion/zsh.ts';

const SHELLS: Readonly<Record<string, (commands: readonly CompletedCommand[]) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};

/** `framepack completion`: a script for the shell, made of the commands of the program. */
export function addCompletionCommand(program: Command): void {
  program
    .command('completion')
    .description(
      'print what completes command lines in a shell: source <(framepack completion bash)',
    )
    .addArgument(new Argument('<shell>', 'shell to print it for').choices(Object.keys(SHELLS)))
    .action((shell: string) => {
      process.stdout.write(SHELLS[shell]!(commandTree(program)));
    });
}
