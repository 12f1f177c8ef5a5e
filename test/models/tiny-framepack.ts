import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Device } from '../../src/tensor/device.ts';
import { Checkpoint } from '../../src/weights/checkpoint.ts';

/** The checkpoint of the repository. */
export const TINY_MODEL: string = fileURLToPath(
  new URL('../../models/tiny-framepack', import.meta.url),
);

/** `config.json` of one of its networks. */
export function tinyConfig(part: string): Record<string, unknown> {
  return JSON.parse(readFileSync(`${TINY_MODEL}/${part}/config.json`, 'utf8')) as Record<
    string,
    unknown
  >;
}

/** Weights of one of its networks. */
export function tinyWeights(device: Device, part: string): Promise<Checkpoint> {
  return Checkpoint.open(device, `${TINY_MODEL}/${part}`);
}
