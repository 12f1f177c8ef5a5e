import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findSchedule } from '../../../src/framepack/named-schedules.ts';
import { planSections, type SectionPlan } from '../../../src/framepack/section-plan.ts';
import { VideoAssembly } from '../../../src/pipeline/sections/video-assembly.ts';
import { Device } from '../../../src/tensor/device.ts';
import { fromArray, type Tensor } from '../../../src/tensor/tensor.ts';

let device: Device;
beforeEach(() => {
  device = Device.open('cpu', { threads: 1 });
});
afterEach(() => device.close());

const OVERLAP = 33;

/** One-pixel frames whose grey value is their time, scaled into [-1, 1]. */
function clip(start: number, numFrames: number): Tensor<'f32'> {
  const values = Float32Array.from(
    { length: 3 * numFrames },
    (_, index) => ((start + (index % numFrames)) / 200) * 2 - 1,
  );
  return fromArray(device, values, [1, 3, numFrames, 1, 1], 'f32');
}

async function assemble(
  plans: readonly SectionPlan[],
  starts: readonly number[],
): Promise<number[]> {
  using video = new VideoAssembly();
  for (const [index, plan] of plans.entries()) {
    using part = clip(starts[index]!, plan.decode.numFrames);
    await video.add(part, plan, plan.isLast ? 0 : OVERLAP);
    expect(device.memory().liveTensors).toBeLessThanOrEqual(2);
  }
  expect(video.numFrames).toBe(video.frames.length);
  return video.frames.map((frame) => frame[0]!);
}

describe('VideoAssembly', () => {
  const expected = (numFrames: number): number[] =>
    Array.from({ length: numFrames }, (_, time) => Math.trunc((time / 200) * 255));

  it.each([
    ['i2v', [76, 40, 0]],
    ['f1', [0, 4, 40]],
  ] as const)('joins three sections of %s without a seam', async (mode, starts) => {
    const plans = planSections({ schedule: findSchedule(mode), seconds: 3.6, fps: 30 });
    const frames = await assemble(plans, starts);
    expect(frames).toHaveLength(109);
    expected(109).forEach((value, time) => {
      expect(Math.abs(frames[time]! - value)).toBeLessThanOrEqual(1);
    });
    expect(device.memory().liveTensors).toBe(0);
  });
});
