import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import * as tensors from '../../src/entry/tensor.ts';
import { repositoryPath } from '../tokenizers/vocabularies.ts';
import { complaintsAbout, read } from './documents.ts';
import { EXPECTED } from './tensor-table.ts';

/** The table that translates PyTorch is compiled, run, and compared with numbers that do not come from us. */
const folder = repositoryPath('build/tensor-table');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Row {
  readonly torch: string;
  readonly code: string;
}

const rows: Row[] = [...read('docs/tensors.md').matchAll(/^\| (`.+`) \| (`.+`) \|$/gm)].map(
  ([, torch, code]) => ({ torch: torch!, code: `[${code!.replaceAll('`', '')}]` }),
);

/** What the page says above the table. */
const OPERANDS = `
const other = Device.open('cpu');
const x = fromArray(device, [1, 2, 3, 4, 5, 6], [2, 3], 'f32');
const y = fromArray(device, [6, 5, 4, 3, 2, 1], [2, 3], 'f32');
const z = fromArray(device, [7, 8, 9, 10], [2, 2], 'f32');
const v = fromArray(device, [1, 2, 3], [3], 'f32');
const w = fromArray(device, [1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1], [4, 3], 'f32');
const b = fromArray(device, [0, 10, 20, 30], [4], 'f32');
const ids = fromArray(device, [2, 0, 0, 1], [2, 2], 'i32');
const q = fromArray(device, [1, 0, 0, 0, 0, 2, 0, 0], [1, 2, 1, 4], 'f32');
const k = fromArray(device, [2, 0, 0, 0, 0, 2, 0, 0], [1, 2, 1, 4], 'f32');
const t = fromArray(device, [1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 1, 4], 'f32');
const s = fromArray(device, [1, 2, 3, 4], [1, 4, 1], 'f32');
const kernel = fromArray(device, [1, 0, -1], [1, 3, 1], 'f32');
const p = fromArray(device, [0, 1, 2, 3], [1, 2, 2, 1], 'f32');
`;

test('every line has its numbers', () => {
  expect(rows.map(({ torch }) => torch)).toEqual(Object.keys(EXPECTED));
});

test('every line compiles', () => {
  const names = Object.keys(tensors).join(', ');
  const lines = rows.map(({ code }, index) => `export const row${index} = ${code};`).join('\n');
  const source = `import { ${names} } from 'framepack-node/tensor';
const device = Device.open('cpu');
${OPERANDS}
${lines}
`;
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'table.mts');
  writeFileSync(file, source);
  expect(complaintsAbout([file])).toEqual([]);
}, 120_000);

test.each(rows)('$torch is $code', async ({ torch, code }) => {
  await using device = tensors.Device.open('cpu');
  await tensors.scope(async () => {
    const names = ['device', ...Object.keys(tensors)];
    const body = `return (async () => { ${OPERANDS} try { return await plain(${code}); } finally { await other.close(); } })();`;
    const run = new Function('plain', ...names, body);
    const found = (await run(plain, device, ...Object.values(tensors))) as unknown;
    expectClose(found, EXPECTED[torch]);
  });
});

/** Tensors within a value as nested arrays, a scalar as a number. */
async function plain(value: unknown): Promise<unknown> {
  if (value instanceof tensors.Tensor) return nested([...(await value.readFloat32())], value.shape);
  if (ArrayBuffer.isView(value)) return [...(value as Float32Array)];
  if (Array.isArray(value)) return Promise.all(value.map(plain));
  if (value !== null && typeof value === 'object') return plain(Object.values(value));
  return value;
}

function nested(values: readonly number[], shape: readonly number[]): unknown {
  const [extent, ...inner] = shape;
  if (extent === undefined) return values[0];
  const size = values.length / extent;
  return Array.from({ length: extent }, (_, i) =>
    nested(values.slice(i * size, (i + 1) * size), inner),
  );
}

function expectClose(found: unknown, expected: unknown): void {
  if (!Array.isArray(expected)) {
    expect(found).toBeCloseTo(expected as number, 4);
    return;
  }
  expect(found).toHaveLength(expected.length);
  for (const [i, item] of expected.entries()) expectClose((found as unknown[])[i], item);
}
