import type { Command } from 'commander';
import { ENCODER_NAMES, type EncoderName, encodeFolder } from '../../index.ts';
import { option, parseInteger, quietOption, requiredOption } from '../options.ts';

interface EncodeFlags {
  readonly out: string;
  readonly force?: boolean;
  readonly quiet?: boolean;
  readonly fps?: number;
  readonly crf?: number;
  readonly encoder?: EncoderName;
}

const DEFAULT_FPS = 30;

/** `framepack encode`: finishes a video whose frames were kept. */
export function addEncodeCommand(program: Command): void {
  program
    .command('encode')
    .description('make a video of a folder of numbered pictures')
    .argument('<folder>', 'pictures in the order of their names')
    .addOption(
      requiredOption('--out <file>', 'video to write; never an existing one without --force'),
    )
    .addOption(option('--force', 'overwrite an existing --out'))
    .addOption(
      option('--fps <number>', 'frames a second', {
        parse: parseInteger,
        default: String(DEFAULT_FPS),
      }),
    )
    .addOption(
      option('--crf <number>', 'video quality, 0 (best) to 51', {
        parse: parseInteger,
        default: '16',
      }),
    )
    .addOption(
      option('--encoder <name>', 'encoder of the video', {
        choices: ENCODER_NAMES,
        default: 'the first that works',
      }),
    )
    .addOption(quietOption())
    .action(async (folder: string, flags: EncodeFlags) => {
      const { out, fps = DEFAULT_FPS, crf, encoder, force, quiet } = flags;
      const { path, numFrames } = await encodeFolder(folder, {
        ...{ path: out, fps },
        ...(crf !== undefined && { quality: crf }),
        ...(encoder !== undefined && { encoder }),
        ...(force && { overwrite: true }),
      });
      if (!quiet) console.error(`${numFrames} frames (${(numFrames / fps).toFixed(1)} s)`);
      console.log(path);
    });
}
