import { afterAll, beforeAll, describe, it } from 'vitest';
import { combineGuidance, rescaleGuidance } from '../../src/sampling/guidance.ts';
import { Device } from '../../src/tensor/device.ts';
import { fromArray } from '../../src/tensor/tensor.ts';
import { expectClose } from './expect-close.ts';

let device: Device;
beforeAll(() => {
  device = Device.open('cpu', { threads: 1 });
});
afterAll(() => device.close());

const SHAPE = [2, 1, 1, 1, 3];
const POSITIVE = [1, 2, 4, -1, 0, 2];
const GUIDED = [2, 5, -3, 0.5, 4, 1];
const tensor = (values: number[]) => fromArray(device, values, SHAPE, 'f32');

function deviation(values: number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}

describe('guidance', () => {
  it('extrapolates', async () => {
    const out = combineGuidance(tensor(POSITIVE), tensor(GUIDED), 1.5);
    const expected = POSITIVE.map((value, i) => GUIDED[i]! + 1.5 * (value - GUIDED[i]!));
    expectClose(await out.read(), expected, 1e-6);
  });

  it('rescales each sample by its own deviations', async () => {
    const out = rescaleGuidance(tensor(GUIDED), tensor(POSITIVE), 0.7);
    const expected = [0, 3].flatMap((start) => {
      const guided = GUIDED.slice(start, start + 3);
      const factor = deviation(POSITIVE.slice(start, start + 3)) / deviation(guided);
      return guided.map((value) => value * (0.7 * factor + 0.3));
    });
    expectClose(await out.read(), expected, 1e-6);
  });
});
