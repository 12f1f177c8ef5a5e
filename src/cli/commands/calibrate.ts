import type { Command } from 'commander';
import { calibrateStepCache, type GenerateRequest } from '../../index.ts';
import { interruptible } from '../interrupt.ts';
import {
  modelOption,
  option,
  parseInteger,
  parseNumber,
  quietOption,
  requiredOption,
} from '../options.ts';
import { reporterFor } from '../progress.ts';

interface CalibrateFlags extends GenerateRequest {
  readonly quiet?: boolean;
}

/** `framepack calibrate`. */
export function addCalibrateCommand(program: Command): void {
  const otherwise = "the model's";
  program
    .command('calibrate')
    .description('measure the numbers that --step-cache mag needs, for framepack.json')
    .addOption(modelOption())
    .addOption(requiredOption('--prompt <text>', 'what happens in the video'))
    .addOption(option('--image <file>', 'start picture (PNG, JPEG or WebP)', { default: 'grey' }))
    .addOption(
      option('--seconds <number>', 'length of the video', {
        parse: parseNumber,
        default: otherwise,
      }),
    )
    .addOption(
      option('--steps <number>', 'sampler steps for each section', {
        parse: parseInteger,
        default: otherwise,
      }),
    )
    .addOption(
      option('--seed <number>', 'seed of the noise', { parse: parseInteger, default: otherwise }),
    )
    .addOption(quietOption())
    .action(async ({ quiet, ...request }: CalibrateFlags) => {
      const reporter = reporterFor({ quiet });
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
