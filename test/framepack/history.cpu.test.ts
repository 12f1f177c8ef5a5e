import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { History } from '../../src/framepack/history.ts';
import { type GenerationMode, planSections } from '../../src/framepack/section-plan.ts';
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

const plan = (mode: GenerationMode, seconds: number) =>
  planSections({ mode, seconds, fps: 30, latentWindowSize: WINDOW });

async function contextOf(history: History, context: ReturnType<typeof plan>[number]['context']) {
  const read = async (group: (typeof context)['clean']) => [
    ...(await history.context(group).read()),
  ];
  return {
    clean: await read(context.clean),
    clean2x: await read(context.clean2x),
    clean4x: await read(context.clean4x),
  };
}

describe('inverted history', () => {
  it('feeds and decodes what the official loop does, over eight sections', async () => {
    const start = frames([START]);
    using history = new History({ start, growsAt: 'front', latentWindowSize: WINDOW });
    // The loop of the official app on plain lists.
    let list = zeros(19);
    let total = 0;
    for (const current of plan('i2v', 10)) {
      expect(await contextOf(history, current.context)).toEqual({
        clean: [START, list[0]],
        clean2x: list.slice(1, 3),
        clean4x: list.slice(3, 19),
      });
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
    using history = new History({ start, growsAt: 'back', latentWindowSize: WINDOW });
    let list = [...zeros(19), START];
    let total = 1;
    for (const current of plan('f1', 10)) {
      expect(await contextOf(history, current.context)).toEqual({
        clean: [START, list.at(-1)],
        clean2x: list.slice(-3, -1),
        clean4x: list.slice(-19, -3),
      });
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

describe('ownership', () => {
  it('survives scopes, holds a fixed amount of memory and frees it', () => {
    const before = device.memory();
    const start = frames([START]);
    const [first] = plan('i2v', 5);
    const history = scope(
      () => new History({ start: start.retain(), growsAt: 'front', latentWindowSize: WINDOW }),
    );
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
    using history = new History({
      start: frames([START]),
      growsAt: 'back',
      latentWindowSize: WINDOW,
    });
    expect(() => history.newest(2)).toThrow('numLatents expected 1 to 1, got 2');
    expect(() => history.newest(0)).toThrow(expect.objectContaining({ code: 'ERR_ARGUMENT' }));
  });
});
