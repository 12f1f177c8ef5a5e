import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { quietOption } from '../options.ts';

const PROGRAM = fileURLToPath(new URL('../../../native/build.mjs', import.meta.url));

/** `framepack build`: makes the addon where no prebuilt one suits the machine. */
export function addBuildCommand(program: Command): void {
  program
    .command('build')
    .description(
      'build the native addon, and the CUDA kernels where nvcc is (needs CMake and a C++20 compiler)',
    )
    .option('--no-cuda', 'leave out the kernels, which take minutes to compile')
    .addOption(quietOption())
    .action(async ({ cuda, quiet }: { cuda: boolean; quiet?: boolean }) => {
      const args = [PROGRAM, ...(cuda ? [] : ['--no-cuda']), ...(quiet ? ['--quiet'] : [])];
      const [status] = await once(spawn(process.execPath, args, { stdio: 'inherit' }), 'exit');
      process.exitCode = status ?? 1;
    });
}
