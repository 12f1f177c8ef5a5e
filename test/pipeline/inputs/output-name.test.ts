import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dateValues, fillName } from '../../../src/pipeline/inputs/output-name.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'framepack-name-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const values = { ...dateValues(new Date(2026, 1, 3, 4, 5, 6)), seed: '7', model: 'a/b' };

describe('fillName', () => {
  it('fills in what it knows and leaves other braces', () => {
    expect(fillName('{date}_{time}_{seed}_{seed}.mp4', values)).toBe('2026-02-03_04-05-06_7_7.mp4');
    expect(fillName('{1}{}{A}.mp4', values)).toBe('{1}{}{A}.mp4');
  });

  it('never makes a folder of a value', () => {
    expect(fillName('{model}.mp4', values)).toBe('a-b.mp4');
  });

  it('counts to the first free name, whether video or pictures took it', () => {
    const template = join(folder, 'v{n}.mp4');
    expect(fillName(template, values)).toBe(join(folder, 'v1.mp4'));
    writeFileSync(join(folder, 'v1.mp4'), '');
    mkdirSync(join(folder, 'v2-frames'));
    expect(fillName(template, values)).toBe(join(folder, 'v3.mp4'));
    mkdirSync(join(folder, 'p1'));
    expect(fillName(join(folder, 'p{n}/'), values)).toBe(join(folder, 'p2/'));
  });

  it('refuses a placeholder that there is not', () => {
    expect(() => fillName('{sed}.mp4', values)).toThrow(
      /out expected placeholders among \{date\}.*\{n\}, got \{sed\}/,
    );
  });
});
