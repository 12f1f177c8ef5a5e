import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';

const PROGRAM = fileURLToPath(
  new URL('../../kernels/test/module/contraction.mjs', import.meta.url),
);
const FFMA = 0x223;
const FADD = 0x221;

const folder = mkdtempSync(join(tmpdir(), 'framepack-contraction-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** An image of a fatbin: kind 1 is PTX, 2 machine code. */
function image(kind: 1 | 2, architecture: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(64);
  header.writeUInt16LE(kind, 0);
  header.writeUInt32LE(header.length, 4);
  header.writeBigUInt64LE(BigInt(payload.length), 8);
  header.writeUInt32LE(architecture, 28);
  return Buffer.concat([header, payload]);
}

function fatbin(...images: Buffer[]): Buffer {
  const body = Buffer.concat(images);
  const header = Buffer.alloc(16);
  header.writeUInt32LE(0xba55ed50, 0);
  header.writeUInt16LE(header.length, 6);
  header.writeBigUInt64LE(BigInt(body.length), 8);
  return Buffer.concat([header, body]);
}

/** An ELF file with the section `.text.k` of the given instructions. */
function elf(operations: readonly number[]): Buffer {
  const code = Buffer.alloc(16 * operations.length);
  for (const [index, operation] of operations.entries()) code.writeUInt16LE(operation, 16 * index);
  const names = Buffer.from('\0.text.k\0');
  const head = Buffer.alloc(64);
  const table = Buffer.alloc(2 * 64);
  head.writeBigUInt64LE(BigInt(64 + code.length + names.length), 0x28);
  for (const [at, value] of [64, 2, 0].entries()) head.writeUInt16LE(value, 0x3a + 2 * at);
  const sections = [
    [0, 64 + code.length, names.length],
    [1, 64, code.length],
  ] as const;
  for (const [row, [name, offset, bytes]] of sections.entries()) {
    table.writeUInt32LE(name, 64 * row);
    table.writeBigUInt64LE(BigInt(offset), 64 * row + 24);
    table.writeBigUInt64LE(BigInt(bytes), 64 * row + 32);
  }
  return Buffer.concat([head, code, names, table]);
}

/** What the program says about a kernel of these lines of PTX and these instructions. */
function faultsOf(lines: readonly string[], operations: readonly number[] = []): string[] {
  const ptx = `.version 9.0\n.visible .entry k(\n\t.param .b32 a\n)\n{\n${lines.join('\n')}\n}\n`;
  const file = join(folder, 'module.fatbin');
  writeFileSync(file, fatbin(image(1, 80, Buffer.from(ptx)), image(2, 90, elf(operations))));
  const { status, stderr } = spawnSync(process.execPath, [PROGRAM, file], { encoding: 'utf8' });
  const faults = stderr.split('\n').filter((line) => line !== '');
  expect(status).toBe(faults.length > 0 ? 1 : 0);
  return faults;
}

describe('contraction.mjs', () => {
  test.each([
    ['a sum', 'add.f32 \t%f3, %f1, %f2;'],
    ['a difference', 'sub.f32 \t%f3, %f2, %f1;'],
    ['a predicated sum', '@!%p1 add.f32 %f3, %f1, %f2;'],
  ])('refuses a product in %s', (_, sum) => {
    const found = faultsOf(['mul.f32 \t%f1, %f4, %f5;', sum]);
    expect(found).toEqual([expect.stringMatching(/^k: 1 sums such as "@?!?(%p1 )?(add|sub)\.f32/)]);
  });

  test.each([
    ['rounded products', ['mul.rn.f32 \t%f1, %f4, %f5;', 'add.f32 \t%f3, %f1, %f2;']],
    ['rounded sums', ['mul.f32 \t%f1, %f4, %f5;', 'add.rn.f32 \t%f3, %f1, %f2;']],
    ['fused ones', ['mul.f32 \t%f1, %f4, %f5;', 'fma.rn.f32 \t%f3, %f4, %f2, %f1;']],
    [
      'values of several branches',
      ['mul.f32 \t%f1, %f4, %f5;', 'mov.f32 \t%f1, %f6;', 'add.f32 \t%f3, %f1, %f2;'],
    ],
  ])('takes %s', (_, lines) => {
    expect(faultsOf(lines, [FADD])).toEqual([]);
  });

  test('refuses FFMA where the PTX has none', () => {
    const lines = ['mul.rn.f32 %f1, %f4, %f5;', 'add.f32 %f3, %f1, %f2;'];
    expect(faultsOf(lines, [FADD, FFMA, FFMA])).toEqual(['k on sm_90: 2 FFMA, none in its PTX']);
    for (const more of ['fma.rn.f32 %f7, %f1, %f1, %f1;', 'div.rn.f32 %f7, %f1, %f2;']) {
      expect(faultsOf([...lines, more], [FADD, FFMA])).toEqual([]);
    }
  });

  test('refuses a module without kernels', () => {
    const file = join(folder, 'empty.fatbin');
    writeFileSync(file, fatbin(image(1, 80, Buffer.from('.version 9.0\n'))));
    const { status, stderr } = spawnSync(process.execPath, [PROGRAM, file], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([1, 'the module has no PTX of kernels\n']);
  });
});
