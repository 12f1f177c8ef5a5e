import { type Command, Option } from 'commander';
import { ENCODER_NAMES, type EncoderName, encodeFolder } from '../../index.ts';
import { parseInteger } from '../options.ts';

interface EncodeFlags {
  readonly out: string;
  readonly fps: number;
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
    .requiredOption('--out <file>', 'video to write; an existing file is never overwritten')
    .option('--fps <number>', 'frames a second', parseInteger, DEFAULT_FPS)
    .option('--crf <number>', 'video quality, 0 (best) to 51', parseInteger)
    .addOption(new Option('--encoder <name>', 'encoder of the video').choices(ENCODER_NAMES))
    .action(async (folder: string, { out, fps, crf, encoder }: EncodeFlags) => {
      const { path, numFrames } = await encodeFolder(folder, {
        ...{ path: out, fps },
        ...(crf !== undefined && { quality: crf }),
        ...(encoder !== undefined && { encoder }),
      });
      console.error(`${numFrames} frames (${(numFrames / fps).toFixed(1)} s)`);
      console.log(path);
    });
}
