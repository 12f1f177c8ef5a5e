import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { convert } from '../../../src/pipeline/conversion/convert.ts';
import { FP8_SCHEMES } from '../../../src/pipeline/conversion/convert-options.ts';
import { runGeneration } from '../../../src/pipeline/generate.ts';
import type { RunObserver } from '../../../src/pipeline/run-context.ts';
import { Device } from '../../../src/tensor/device.ts';
import type { FloatDType } from '../../../src/tensor/dtype.ts';
import { scope } from '../../../src/tensor/scope.ts';
import { Checkpoint } from '../../../src/weights/checkpoint.ts';
import { DIT_NAMES } from '../../../src/weights/network-names.ts';
import { TINY_MODEL } from '../../models/tiny-framepack.ts';
import { tinyWithWeights } from '../../models/tiny-with-weights.ts';

/** What rounding the small checkpoint's transformer costs; both errors are relative, in the 2-norm. */
export interface RoundingError {
  /** Of the matrices that are rounded. */
  readonly weights: number;
  /** Of the latents of a video, against those of the stored weights in f32 arithmetic. */
  readonly latents: number;
}

/** The page that shows them. */
export const PAGE: string = fileURLToPath(new URL('../../../docs/convert.md', import.meta.url));

const PICTURE = fileURLToPath(new URL('../../../assets/picture-1.png', import.meta.url));
const REQUEST = {
  ...{ image: PICTURE, prompt: 'A yellow ring grows and shrinks over a snowy field.' },
  ...{ seconds: 1.2, steps: 8, seed: 1 },
};
const PERCENT = 100;

/** Measures every scheme, and bf16 arithmetic beside them. */
export async function measureErrors(): Promise<ReadonlyMap<string, RoundingError>> {
  const folder = mkdtempSync(join(tmpdir(), 'framepack-fp8-errors-'));
  try {
    const exact = await latentsOf(TINY_MODEL, 'f32');
    const rounded = await latentsOf(TINY_MODEL, 'bf16');
    const errors = new Map([
      ['bf16 arithmetic, no fp8', { weights: 0, latents: distance(rounded, exact) }],
    ]);
    for (const fp8 of FP8_SCHEMES) {
      const file = join(folder, `${fp8}.safetensors`);
      await convert(TINY_MODEL, file, { fp8 });
      const model = tinyWithWeights(join(folder, fp8), file);
      errors.set(`\`${fp8}\``, {
        weights: await weightError(file),
        latents: distance(await latentsOf(model, 'f32'), exact),
      });
    }
    return errors;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The latents of all sections, one behind the other. */
async function latentsOf(model: string, dtype: FloatDType): Promise<Float32Array> {
  const parts: Promise<Float32Array>[] = [];
  const ignore = (): void => {};
  const observer: RunObserver = {
    ...{ ids: ignore, frames: ignore },
    tensor: (name, value) => {
      if (/^section\.\d+\.latents$/.test(name)) parts.push(value.readFloat32());
    },
  };
  await runGeneration({ ...REQUEST, model, dtype, device: 'cpu' }, ignore, observer);
  return Float32Array.from((await Promise.all(parts)).flatMap((part) => [...part]));
}

async function weightError(file: string): Promise<number> {
  await using device = Device.open('cpu');
  const stored = await Checkpoint.open(device, join(TINY_MODEL, 'transformer'));
  const converted = await Checkpoint.open(device, file);
  const names = converted.names().filter((name) => converted.entryOf(name).dtype === 'f8e4m3');
  const [before, after] = [stored, converted].map((source) => source.scope().network(DIT_NAMES));
  let [error, norm] = [0, 0];
  for (const name of names) {
    const shape = stored.shapeOf(name);
    await scope(async () => {
      const exact = await before!.takeAs(name, shape, 'f32').read();
      const rounded = await after!.takeAs(name, shape, 'f32').read();
      error += distance(rounded, exact) ** 2 * squares(exact);
      norm += squares(exact);
    });
  }
  return Math.sqrt(error / norm);
}

const squares = (values: Float32Array): number =>
  values.reduce((sum, value) => sum + value ** 2, 0);

/** Norm of the difference over that of `exact`. */
function distance(found: Float32Array, exact: Float32Array): number {
  const difference = exact.map((value, index) => found[index]! - value);
  return Math.sqrt(squares(difference) / squares(exact));
}

/** The rows of the page's table. */
export function errorTable(errors: ReadonlyMap<string, RoundingError>): string {
  const rows = [...errors].map(
    ([name, { weights, latents }]) => `| ${name} | ${percent(weights)} | ${percent(latents)} |`,
  );
  return ['| weights | weight error | latents error |', '|---|---|---|', ...rows].join('\n');
}

/** Errors by the names of the page's rows. */
export function readTable(page: string): ReadonlyMap<string, RoundingError> {
  const rows = page.matchAll(/^\| (.+) \| ([\d.]+) % \| ([\d.]+) % \|$/gm);
  return new Map(
    [...rows].map(([, name, weights, latents]) => [
      name!,
      { weights: Number(weights) / PERCENT, latents: Number(latents) / PERCENT },
    ]),
  );
}

function percent(share: number): string {
  return `${(share * PERCENT).toFixed(2)} %`;
}
