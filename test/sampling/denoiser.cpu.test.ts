import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cast } from '../../src/ops/copy.ts';
import { affine } from '../../src/ops/elementwise.ts';
import {
  flowDenoiser,
  type VelocityCall,
  type VelocityModel,
} from '../../src/sampling/denoiser.ts';
import { Device } from '../../src/tensor/device.ts';
import { fromArray } from '../../src/tensor/tensor.ts';
import { expectClose } from './expect-close.ts';

let device: Device;
beforeAll(() => {
  device = Device.open('cpu', { threads: 1 });
});
afterAll(() => device.close());

const SHAPE = [1, 1, 1, 2, 2];
const sample = () => fromArray(device, [1.001, -2, 0.5, 3], SHAPE, 'f32');

/** Records its calls; the velocity is twice the sample, or three times in the negative branch. */
function recordingModel(): { model: VelocityModel; calls: VelocityCall[] } {
  const calls: VelocityCall[] = [];
  const model: VelocityModel = async (call) => {
    calls.push(call);
    return affine(cast(call.x, 'f32'), call.branch === 'positive' ? 2 : 3, 0);
  };
  return { model, calls };
}

describe('flowDenoiser', () => {
  it('subtracts the scaled velocity and never runs the negative branch at cfg 1', async () => {
    const { model, calls } = recordingModel();
    const denoise = flowDenoiser(model, { dtype: 'f32', cfg: 1, guidanceRescale: 0 });
    const x0 = await denoise(sample(), 0.25, 3);
    expectClose(await x0.read(), [0.5005, -1, 0.25, 1.5], 1e-6);
    expect(calls).toMatchObject([{ timestep: 250, branch: 'positive', stepIndex: 3 }]);
    expect(calls[0]?.x.dtype).toBe('f32');
  });

  it('shows the network, and starts from, the sample rounded to its dtype', async () => {
    const { model, calls } = recordingModel();
    const denoise = flowDenoiser(model, { dtype: 'bf16', cfg: 1, guidanceRescale: 0 });
    const x0 = await denoise(sample(), 0.9, 0);
    expect(calls[0]?.x.dtype).toBe('bf16');
    expect(calls[0]?.timestep).toBe(900);
    const sigma = Math.fround(0.9);
    expectClose(
      await x0.read(),
      [1, -2, 0.5, 3].map((x) => x - 2 * x * sigma),
      1e-6,
    );
  });

  it('extrapolates from the negative to the positive branch', async () => {
    const { model, calls } = recordingModel();
    const denoise = flowDenoiser(model, { dtype: 'f32', cfg: 2.5, guidanceRescale: 0 });
    const x0 = await denoise(sample(), 0.5, 0);
    expect(calls.map((call) => call.branch)).toEqual(['positive', 'negative']);
    // v = 3x + 2.5 (2x - 3x) = 0.5 x
    expectClose(
      await x0.read(),
      [1.001, -2, 0.5, 3].map((x) => 0.75 * x),
      1e-6,
    );
  });

  it('rescales to the spread of the positive velocity', async () => {
    const { model } = recordingModel();
    const denoise = flowDenoiser(model, { dtype: 'f32', cfg: 2.5, guidanceRescale: 1 });
    const x0 = await denoise(sample(), 0.5, 0);
    expectClose(await x0.read(), [0, 0, 0, 0], 1e-6);
  });
});
