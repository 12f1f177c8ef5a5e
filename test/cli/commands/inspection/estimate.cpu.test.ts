import { describe, expect, it } from 'vitest';
import { TINY_MODEL } from '../../../models/tiny-framepack.ts';
import { runCli } from '../../run-cli.ts';

const MODEL = [
  'estimate',
  '--model',
  TINY_MODEL,
  '--prompt',
  'x',
  '--device',
  'cuda',
  '--steps',
  '3',
];
const ARGS = [...MODEL, '--assume', 'rtx3060'];

describe('framepack estimate', { timeout: 60_000 }, () => {
  it('prints a table with a line for each stage', async () => {
    const { code, stdout } = await runCli(ARGS);
    expect(code).toBe(0);
    const [title, header, ...lines] = stdout.trimEnd().split('\n');
    expect(title).toMatch(/^128x96, 136 frames, 4 sections of 3 steps on cuda; sizes in MiB$/);
    expect(header).toMatch(
      /^stage +weights +activations +peak +host +pinned +disk +upload +moved +TFLOP +seconds$/,
    );
    expect(lines).toHaveLength(9);
    expect(lines[3]).toMatch(/^sample( +\d+\.\d){8} +\d+\.\d{3} +\d+\.\d$/);
    expect(new Set([header!, ...lines.slice(0, -3)].map((line) => line.length)).size).toBe(1);
    expect(lines.at(-1)).toMatch(/^time: \d+\.\d s at least, at the peak of GeForce RTX 3060; /);
    expect(lines.at(-2)).toMatch(/^memory \d+\.\d+ GiB: transformer stays, /);
    expect(lines.at(-3)).toMatch(/^most on the device: \d+\.\d MiB$/);
  });

  it('prints JSON', async () => {
    const { stdout } = await runCli([...ARGS, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ device: 'cuda', stages: { length: 6 } });
  });

  it('refuses what generate refuses', async () => {
    const { code, stderr } = await runCli([...ARGS, '--seconds', '-1']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/seconds.*\(ERR_ARGUMENT\)\n$/);
  });
});
