import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';

const PROGRAM = fileURLToPath(new URL('../../../native/build.mjs', import.meta.url));

/** `framepack build`: makes the addon where no prebuilt one suits the machine. */
export function addBuildCommand(program: Command): void {
  program
    .command('build')
    .description(
      'build the native addon, and the CUDA kernels where nvcc is (needs CMake and a C++20 compiler)',
    )
    .option('--no-cuda', 'leave out the kernels, which take minutes to compile')
    .action(async ({ cuda }: { cuda: boolean }) => {
      const args = cuda ? [PROGRAM] : [PROGRAM, '--no-cuda'];
      const [status] = await once(spawn(process.execPath, args, { stdio: 'inherit' }), 'exit');
      process.exitCode = status ?? 1;
    });
}
