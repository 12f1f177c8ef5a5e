import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { EncoderSettings } from '../video-writer.ts';

// The program lies beside this module, compiled as this module is.
const EXTENSION = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
const PROGRAM = fileURLToPath(new URL(`./openh264-program${EXTENSION}`, import.meta.url));
/** From source, Node needs to be told how to read TypeScript. */
const LOADER =
  EXTENSION === '.ts'
    ? ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href]
    : [];
/** Openh264 refuses anything smaller. */
const MIN_SIDE = 16;
const PROBE_MS = 20_000;

/**
 * The command that makes an MP4 file of I420 frames from standard input with openh264, in a process of its own: its
 * codec writes to standard error what no setting turns off, and a crash of it is not ours.
 */
export function openh264Command(file: string, settings: EncoderSettings): string[] {
  return [process.execPath, ...LOADER, PROGRAM, file, JSON.stringify(settings)];
}

/** Whether the optional package `node-webcodecs` is there and encodes pictures of this size. */
export async function hasOpenh264(width: number, height: number): Promise<boolean> {
  if (Math.min(width, height) < MIN_SIDE || !existsSync(PROGRAM)) return false;
  const probe = spawn(process.execPath, [...LOADER, PROGRAM], {
    stdio: 'ignore',
    timeout: PROBE_MS,
  });
  try {
    const [status] = await once(probe, 'exit');
    return status === 0;
  } catch {
    return false;
  }
}
