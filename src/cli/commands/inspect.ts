import type { Command } from 'commander';
import { inspectModel } from '../../index.ts';

/** `framepack inspect`. */
export function addInspectCommand(program: Command): void {
  program
    .command('inspect')
    .description('show what is in a model folder, without loading weights')
    .argument('<model>', 'model folder')
    .option('--json', 'print the summary as JSON')
    .action(async (path: string, { json }: { json?: boolean }) => {
      const summary = await inspectModel(path);
      if (json) {
        console.log(JSON.stringify(summary, null, 2));
        return;
      }
      const { info, parts } = summary;
      const sizes = info.buckets.map(({ width, height }) => `${width}x${height}`).join(' ');
      console.log(`${info.name}: modes ${info.modes.join(' ')}, ${info.fps} fps, sizes ${sizes}`);
      for (const { part, numTensors, numParameters, bytes, storedTypes } of parts) {
        const types = Object.keys(storedTypes).join(' ');
        console.log(
          `${part.padEnd(16)} ${String(numTensors).padStart(5)} tensors ${millions(numParameters)} parameters ` +
            `${(bytes / 1e6).toFixed(1).padStart(9)} MB ${types}`,
        );
      }
    });
}

function millions(count: number): string {
  return `${(count / 1e6).toFixed(2).padStart(9)} M`;
}
