import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import {
  inspectModel,
  inspectVideo,
  type ModelSummary,
  type VideoMetadata,
} from '../../../index.ts';

/** `framepack inspect`. */
export function addInspectCommand(program: Command): void {
  program
    .command('inspect')
    .description('show how a video was made, or what is in a model, without loading weights')
    .argument('<path>', 'video, PNG picture, folder of numbered pictures, or model as for generate')
    .option('--json', 'print it as JSON')
    .action(async (path: string, { json }: { json?: boolean }) => {
      if (isModel(path)) show(await inspectModel(path), modelLines, json);
      else show(await inspectVideo(path), videoLines, json);
    });
}

/** What is not there counts as a model, so that the message is about the path; so do weights. */
function isModel(path: string): boolean {
  if (!existsSync(path) || /\.(safetensors|gguf)$/.test(path)) return true;
  return statSync(path).isDirectory() && !existsSync(join(path, 'frame-00000.png'));
}

function show<T>(facts: T, lines: (facts: T) => string[], json: boolean = false): void {
  const text = (): string =>
    JSON.stringify(
      facts,
      (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value),
      2,
    );
  console.log(json ? text() : lines(facts).join('\n'));
}

function videoLines(metadata: VideoMetadata): string[] {
  return Object.entries(metadata).flatMap(([name, value]) => {
    if (name !== 'checkpoint' || value === null) return `${name.padEnd(16)} ${printable(value)}`;
    return Object.entries(value).map(([file, digest]) => `${file} ${printable(digest)}`);
  });
}

/** Text from a file of anybody's, without what a terminal would obey. */
function printable(value: unknown): string {
  const text = typeof value === 'bigint' ? String(value) : JSON.stringify(value);
  return text.replace(/\p{Cc}/gu, '\uFFFD');
}

function modelLines({ info, parts }: ModelSummary): string[] {
  const modes =
    info.defaults.mode === null
      ? 'mode not known, --mode has to say it'
      : `modes ${info.modes.join(' ')}`;
  const sizes = info.buckets.map(({ width, height }) => `${width}x${height}`).join(' ');
  return [
    `${info.name}: ${modes}, ${info.fps} fps, sizes ${sizes}`,
    ...parts.map(
      ({ part, path, numTensors, numParameters, bytes, storedTypes }) =>
        `${part.padEnd(16)} ${String(numTensors).padStart(5)} tensors ${millions(numParameters)} parameters ` +
        `${(bytes / 1e6).toFixed(1).padStart(9)} MB ${Object.keys(storedTypes).join(' ')} ${printable(path)}`,
    ),
  ];
}

function millions(count: number): string {
  return `${(count / 1e6).toFixed(2).padStart(9)} M`;
}
