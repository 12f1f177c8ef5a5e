import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { History } from '../../src/framepack/history.ts';
import { findSchedule } from '../../src/framepack/named-schedules.ts';
import { planSections, type SectionPlan } from '../../src/framepack/section-plan.ts';
import { Device } from '../../src/tensor/device.ts';
import { scope } from '../../src/tensor/scope.ts';
import { fromArray, type Tensor } from '../../src/tensor/tensor.ts';

// A new device for each test: its memory count must not depend on what earlier tests left to the collector.
let device: Device;
beforeEach(() => {
  device = Device.open('cpu', { threads: 1 });
});
afterEach(() => device.close());

const START = -1;
const WINDOW = 9;

/** Latents of one channel and one pixel, so that frames are numbers. */
const frames = (values: readonly number[]): Tensor<'f32'> =>
  fromArray(device, values, [1, 1, values.length, 1, 1], 'f32');
const zeros = (count: number) => Array<number>(count).fill(0);
const section = (index: number) => Array.from({ length: WINDOW }, (_, i) => 100 * (index + 1) + i);

const plan = (schedule: string, seconds: number) =>
  planSections({ schedule: findSchedule(schedule), seconds, fps: 30 });
const opened = (start: Tensor<'f32'>, { 0: first }: readonly SectionPlan[]) =>
  new History({ start, plan: first! });

/** What a section sees, group by group. */
async function contextOf(history: History, { context }: SectionPlan): Promise<number[][]> {
  return Promise.all(context.map(async (group) => [...(await history.context(group).read())]));
}

describe('inverted history', () => {
  it('feeds and decodes what the official loop does, over eight sections', async () => {
    const start = frames([START]);
    const plans = plan('i2v', 10);
    using history = opened(start, plans);
    // The loop of the official app on plain lists.
    let list = zeros(19);
    let total = 0;
    for (const current of plans) {
      expect(await contextOf(history, current)).toEqual([
        ...[list.slice(3, 19), list.slice(1, 3), [START], list.slice(0, 1)],
      ]);
      const sampled = section(current.sectionIndex);
      history.add(frames(sampled), current);
      const added = current.isLast ? [START, ...sampled] : sampled;
      list = [...added, ...list];
      total += added.length;
      const real = list.slice(0, total);
      const decoded = current.isFirst ? real : real.slice(0, current.isLast ? 19 : 18);
      expect([...(await history.newest(current.decode.numLatents).read())]).toEqual(decoded);
      expect(history.numFrames).toBe(total);
    }
    expect(total).toBe(8 * WINDOW + 1);
  });
});

describe('forward history', () => {
  it('feeds and decodes what the official loop does, over eight sections', async () => {
    const start = frames([START]);
    const plans = plan('f1', 10);
    using history = opened(start, plans);
    let list = [...zeros(19), START];
    let total = 1;
    for (const current of plans) {
      expect(await contextOf(history, current)).toEqual([
        ...[list.slice(-19, -3), list.slice(-3, -1), [START], list.slice(-1)],
      ]);
      const sampled = section(current.sectionIndex);
      history.add(frames(sampled), current);
      list = [...list, ...sampled];
      total += sampled.length;
      const real = list.slice(-total);
      const decoded = current.isFirst ? real : real.slice(-18);
      expect([...(await history.newest(current.decode.numLatents).read())]).toEqual(decoded);
      expect(history.numFrames).toBe(total);
    }
  });
});

describe('history of a schedule that sees the beginning', () => {
  it('keeps the first frames of the video, zeros where they are not there yet', async () => {
    const plans = plan('f1k1f12k2_x_f2k1_g9', 6);
    using history = opened(frames([START]), plans);
    let list = [START];
    for (const current of plans) {
      const seen = [...list, ...zeros(13)].slice(0, 13);
      expect(await contextOf(history, current)).toEqual([
        ...[seen.slice(1), [START], [...zeros(2), ...list].slice(-2)],
      ]);
      const sampled = section(current.sectionIndex);
      scope(() => history.add(frames(sampled), current));
      list = [...list, ...sampled];
    }
  });

  it('reaches as far back as the schedule does, however small the window', async () => {
    const plans = plan('td_f40k4f2k1_g2', 6);
    using history = opened(frames([START]), plans);
    let list = [...zeros(41), START];
    for (const current of plans) {
      expect(await contextOf(history, current)).toEqual([list.slice(-42, -2), list.slice(-2)]);
      const sampled = section(current.sectionIndex).slice(0, 2);
      scope(() => history.add(frames(sampled), current));
      list = [...list, ...sampled];
    }
  });
});

describe('ownership', () => {
  it('survives scopes, holds a fixed amount of memory and frees it', () => {
    const before = device.memory();
    const start = frames([START]);
    const plans = plan('i2v', 5);
    const [first] = plans;
    const history = scope(() => opened(start.retain(), plans));
    const bytes: number[] = [];
    for (let i = 0; i < 20; i++) {
      scope(() => {
        history.add(frames(section(i)), first!);
      });
      bytes.push(device.memory().currentBytes);
    }
    expect(new Set(bytes).size).toBe(1);
    expect(history.numFrames).toBe(180);
    history.dispose();
    start.dispose();
    expect(device.memory().currentBytes).toBe(before.currentBytes);
    expect(device.memory().liveTensors).toBe(before.liveTensors);
  });

  it('decodes no more than there is', () => {
    using history = opened(frames([START]), plan('f1', 1));
    expect(() => history.newest(2)).toThrow('numLatents expected 1 to 1, got 2');
    expect(() => history.newest(0)).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }));
  });
});
