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

/** @param numResumed - sections that an earlier run joined; only the last of them is decoded again. */
async function assemble(
  plans: readonly SectionPlan[],
  starts: readonly number[],
  numResumed = 0,
): Promise<number[][]> {
  using video = new VideoAssembly();
  const parts: number[][] = [];
  for (const [index, plan] of plans.entries()) {
    using part = clip(starts[index]!, plan.decode.numFrames);
    const numOpen = plan.isLast ? 0 : OVERLAP;
    if (index < numResumed) {
      const numFinal = plan.decode.numFrames - OVERLAP;
      video.resume(numFinal, plan, numOpen, index === numResumed - 1 ? part : null);
      parts.push([]);
    } else {
      parts.push((await video.add(part, plan, numOpen)).map((frame) => frame[0]!));
    }
    expect(device.memory().liveTensors).toBeLessThanOrEqual(2);
  }
  expect(video.numFrames).toBe(video.numFinished);
  expect(video.numFinished).toBe(109);
  return parts;
}

describe('VideoAssembly', () => {
  const expected = (numFrames: number): number[] =>
    Array.from({ length: numFrames }, (_, time) => Math.trunc((time / 200) * 255));

  it.each([
    ['i2v', [76, 40, 0]],
    ['f1', [0, 4, 40]],
  ] as const)('joins three sections of %s without a seam', async (mode, starts) => {
    const plans = planSections({ schedule: findSchedule(mode), seconds: 3.6, fps: 30 });
    const parts = await assemble(plans, starts);
    const frames = (mode === 'i2v' ? parts.toReversed() : parts).flat();
    expect(frames).toHaveLength(109);
    expected(109).forEach((value, time) => {
      expect(Math.abs(frames[time]! - value)).toBeLessThanOrEqual(1);
    });
    expect(device.memory().liveTensors).toBe(0);
    for (const numResumed of [1, 2]) {
      const others = await assemble(plans, starts, numResumed);
      expect(others).toEqual(parts.map((part, index) => (index < numResumed ? [] : part)));
    }
    expect(device.memory().liveTensors).toBe(0);
  });
});
