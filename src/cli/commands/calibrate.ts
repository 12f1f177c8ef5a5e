import type { Command } from 'commander';
import { calibrateStepCache, type GenerateRequest } from '../../index.ts';
import { interruptible } from '../interrupt.ts';
import { parseInteger, parseNumber } from '../options.ts';
import { TerminalReporter } from '../progress.ts';

/** `framepack calibrate`. */
export function addCalibrateCommand(program: Command): void {
  program
    .command('calibrate')
    .description('measure the numbers that --step-cache mag needs, for framepack.json')
    .requiredOption('--model <folder>', 'model folder in the Hugging Face layout')
    .requiredOption('--prompt <text>', 'what happens in the video')
    .option('--image <file>', 'start picture (PNG, JPEG or WebP)')
    .option('--seconds <number>', 'length of the video', parseNumber)
    .option('--steps <number>', 'sampler steps for each section', parseInteger)
    .option('--seed <number>', 'seed of the noise', parseInteger)
    .action(async (request: GenerateRequest) => {
      const reporter = new TerminalReporter();
      try {
        const ratios = await interruptible((signal) =>
          calibrateStepCache({ ...request, signal }, (event) => reporter.event(event)),
        );
        console.log(JSON.stringify({ mag_ratios: ratios }));
      } finally {
        reporter.stop();
      }
    });
}
