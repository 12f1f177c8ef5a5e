import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RopeTable, rope, ropePool, ropeTable } from '../../src/ops/rope.ts';
import { Device } from '../../src/tensor/device.ts';
import { Generator } from '../../src/tensor/generator.ts';
import { conformance } from './conformance.ts';

conformance('rope', 'cpu', { isa: 'avx2' });
conformance('rope', 'cpu', { isa: 'avx512' });

/** `[head column, cosine, sine]` of one token. */
type Expected = readonly (readonly [column: number, cos: number, sin: number])[];

// Computed with the upstream rotary code (FramePack, hunyuan_video_packed.py) on a 34 x 44 token grid.
const HEIGHT = 34;
const WIDTH = 44;
// Upstream pools in f32: its sums of 64 terms are off by up to 6e-7.
const TOLERANCE = 1e-6;

function frameTable(device: Device, framePositions: readonly number[]): RopeTable {
  const options = { framePositions, height: HEIGHT, width: WIDTH, theta: 256 };
  return ropeTable(device, { ...options, axisWidths: [16, 56, 56] });
}

async function expectToken({ cos, sin }: RopeTable, token: number, expected: Expected) {
  const [cosines, sines] = await Promise.all([cos.read(), sin.read()]);
  for (const [column, cosine, sine] of expected) {
    const index = token * 64 + column / 2;
    expect(Math.abs(cosines[index]! - cosine), `cos ${column}`).toBeLessThan(TOLERANCE);
    expect(Math.abs(sines[index]! - sine), `sin ${column}`).toBeLessThan(TOLERANCE);
  }
}

describe('FramePack tables', () => {
  let device: Device;
  beforeAll(() => {
    device = Device.open('cpu');
  });
  afterAll(() => device.close());

  test('a target frame', async () => {
    await expectToken(frameTable(device, [28]), 5 * WIDTH + 7, [
      [0, -0.9626059, 0.2709058],
      [2, 0.1367372, 0.9906074],
      [14, 0.9761695, 0.2170096],
      [16, 0.2836622, -0.9589243],
      [18, -0.5734513, -0.8192396],
      [70, 0.9997166, 0.0238066],
      [72, 0.7539023, 0.6569866],
      [74, 0.8572775, -0.5148546],
      [126, 0.9994445, 0.0333262],
    ]);
  });

  test('history pooled by two', async () => {
    const pooled = ropePool(frameTable(device, [38, 39]), {
      grid: [2, HEIGHT, WIDTH],
      pool: [2, 2, 2],
    });
    expect(pooled.cos.shape).toEqual([17 * 22, 64]);
    await expectToken(pooled, 3 * 22 + 4, [
      [0, 0.6108583, 0.630082],
      [2, 0.8922598, 0.3777085],
      [16, 0.8570363, 0.1887856],
      [18, 0.5326843, -0.746482],
      [72, -0.5283151, 0.7007384],
      [74, 0.7074697, 0.583502],
    ]);
  });

  test('history pooled by four, in a row that is half padding', async () => {
    const frames = Array.from({ length: 16 }, (_, index) => 40 + index);
    const pooled = ropePool(frameTable(device, frames), {
      grid: [16, HEIGHT, WIDTH],
      pool: [4, 4, 4],
    });
    expect(pooled.cos.shape).toEqual([4 * 9 * 11, 64]);
    await expectToken(pooled, (9 + 8) * 11 + 10, [
      [0, 0.0251629, 0.4734918],
      [2, -0.6170008, -0.5850818],
      [16, 0.1985982, 0.8877907],
      [18, -0.1601097, 0.92472],
      [72, -0.3747874, -0.2904514],
      [74, -0.5447181, 0.3072758],
    ]);
  });

  test('no frames make an empty table', async () => {
    const { cos, sin } = frameTable(device, []);
    expect(cos.shape).toEqual([0, 64]);
    expect((await sin.read()).length).toBe(0);
  });
});

test.each(['interleaved', 'half-split'] as const)('rotates in place, %s', async (layout) => {
  await using device = Device.open('cpu');
  const options = { framePositions: [0, 1, 2], height: 1, width: 1, theta: 100 };
  const table = ropeTable(device, { ...options, axisWidths: [18, 0, 0] });
  const x = new Generator(1).randn(device, [1, 4, 3, 18]);
  const expected = await rope(x, table, { layout }).read();
  expect(rope(x, table, { layout, into: x })).toBe(x);
  expect(await x.read()).toEqual(expected);
});
