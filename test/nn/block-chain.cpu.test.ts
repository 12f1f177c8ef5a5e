import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runChain } from '../../src/nn/block-chain.ts';
import { affine } from '../../src/ops/elementwise.ts';
import { Device } from '../../src/tensor/device.ts';
import { fromArray, type Tensor } from '../../src/tensor/tensor.ts';

let device: Device;
beforeEach(() => {
  device = Device.open('cpu', { threads: 1 });
});
afterEach(() => device.close());

const increment = ({ x, y }: { x: Tensor; y: Tensor }) => ({ x: affine(x, 1, 1), y });

describe('runChain', () => {
  it('frees every state but the first and the last, not what is handed on', async () => {
    const first = { x: fromArray(device, [1], [1], 'f32'), y: fromArray(device, [7], [1], 'f32') };
    const last = await runChain(first, [increment, increment, increment]);
    expect(await Promise.all([last.x.read(), last.y.read(), first.x.read()])).toEqual([
      Float32Array.of(4),
      Float32Array.of(7),
      Float32Array.of(1),
    ]);
    expect(last.y).toBe(first.y);
    expect(device.memory().liveTensors).toBe(3);
  });

  it('stops between blocks when the pace rejects', async () => {
    const first = { x: fromArray(device, [1], [1], 'f32') };
    let calls = 0;
    const pace = async (): Promise<void> => {
      if (++calls === 2) throw new Error('stop');
    };
    const steps = [1, 2, 3].map(() => ({ x }: { x: Tensor }) => ({ x: affine(x, 1, 1) }));
    await expect(runChain(first, steps, pace)).rejects.toThrow('stop');
    expect(calls).toBe(2);
  });

  it('without steps returns what it was given', async () => {
    const first = { x: fromArray(device, [1], [1], 'f32') };
    expect(await runChain(first, [])).toBe(first);
  });
});
