import { spawnSync } from 'node:child_process';
import type { CompletedCommand } from '../../../src/cli/completion/command-tree.ts';
import { commandTree } from '../../../src/cli/completion/command-tree.ts';
import { createProgram } from '../../../src/cli/program.ts';

/** What there is to complete. */
export function framepackCommands(): CompletedCommand[] {
  return commandTree(createProgram(false));
}

/** Whether a shell is on this machine. */
export function hasShell(name: string): boolean {
  return spawnSync(name, ['-c', 'true']).status === 0;
}

/** The lines that a shell prints for a program; what it says on stderr is a failure. */
export function linesOf(shell: string, args: readonly string[], cwd?: string): string[] {
  const { stdout, stderr, status } = spawnSync(shell, args, { encoding: 'utf8', cwd });
  if (status !== 0 || stderr !== '') throw new Error(`${shell} ended with ${status}: ${stderr}`);
  return stdout.split('\n').filter((line) => line !== '');
}
