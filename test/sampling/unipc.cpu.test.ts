import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Denoiser } from '../../src/sampling/denoiser.ts';
import { sigmaSchedule } from '../../src/sampling/schedule.ts';
import { type SamplingStep, sampleUniPc } from '../../src/sampling/unipc.ts';
import { Device } from '../../src/tensor/device.ts';
import { fromArray, type Tensor } from '../../src/tensor/tensor.ts';
import { expectClose } from './expect-close.ts';
import { GOLDEN_RUNS, TOY_START, toyPrediction } from './toy-denoiser.ts';

// A new device for each test: its memory count must not depend on what earlier tests left to the collector.
let device: Device;
beforeEach(() => {
  device = Device.open('cpu', { threads: 1 });
});
afterEach(() => device.close());

const SHAPE = [1, 1, 1, 1, 3];
const schedule = (numSteps: number) => sigmaSchedule(numSteps, Math.log(7));
const noise = (): Tensor<'f32'> => fromArray(device, TOY_START, SHAPE, 'f32');

const toyDenoiser: Denoiser = async (x, sigma) => {
  const values = await x.read();
  return fromArray(
    device,
    values.map((value) => toyPrediction(value, sigma)),
    SHAPE,
    'f32',
  );
};

describe('sampleUniPc', () => {
  it.each(GOLDEN_RUNS)('reproduces the golden run of $numSteps steps, $variant', async (run) => {
    const { numSteps, variant } = run;
    const x0 = await sampleUniPc(toyDenoiser, noise(), { sigmas: schedule(numSteps), variant });
    expectClose(await x0.read(), run.x0, 1e-6);
  });

  it('evaluates once a step, never at 0, and shows each prediction', async () => {
    const sigmas = schedule(5);
    const steps: (Omit<SamplingStep, 'x0'> & { x0: number[] })[] = [];
    const x0 = await sampleUniPc(toyDenoiser, noise(), {
      sigmas,
      onStep: async (step) => {
        steps.push({ ...step, x0: [...(await step.x0.read())] });
      },
    });
    expect(steps.map((step) => step.sigma)).toEqual([...sigmas.slice(0, 5)]);
    expect(steps.map((step) => step.stepIndex)).toEqual([0, 1, 2, 3, 4]);
    expect(steps.every((step) => step.numSteps === 5)).toBe(true);
    expect(steps.at(-1)?.x0).toEqual([...(await x0.read())]);
  });

  it('leaves the noise alone and holds a fixed number of tensors', async () => {
    const start = noise();
    const before = device.memory().liveTensors;
    const live: number[] = [];
    const x0 = await sampleUniPc(toyDenoiser, start, {
      sigmas: schedule(12),
      onStep: () => {
        live.push(device.memory().liveTensors - before);
      },
    });
    expect(new Set(live.slice(4)).size).toBe(1);
    expect(device.memory().liveTensors - before).toBe(1);
    expect([...(await start.read())]).toEqual(TOY_START);
    x0.dispose();
    start.dispose();
  });

  it('stops within a step when it is aborted, and frees its tensors', async () => {
    const start = noise();
    const before = device.memory().liveTensors;
    const controller = new AbortController();
    const steps: number[] = [];
    const run = sampleUniPc(toyDenoiser, start, {
      sigmas: schedule(10),
      signal: controller.signal,
      onStep: ({ stepIndex }) => {
        steps.push(stepIndex);
        if (stepIndex === 2) controller.abort(new Error('enough'));
      },
    });
    await expect(run).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_ABORTED', cause: new Error('enough') }),
    );
    expect(steps).toEqual([0, 1, 2]);
    expect(device.memory().liveTensors).toBe(before);
    start.dispose();
  });

  it('passes on what the denoiser throws', async () => {
    const failing: Denoiser = () => Promise.reject(new Error('no network'));
    await expect(sampleUniPc(failing, noise(), { sigmas: schedule(3) })).rejects.toThrow(
      'no network',
    );
  });
});
