import { setImmediate as turn } from 'node:timers/promises';
import { add } from '../../../src/ops/elementwise.ts';
import { fromArray } from '../../../src/tensor/tensor.ts';
import { openDevice } from './load.ts';

/** Drops tensors without disposing them; prints what is left before and after collection. */
const device = openDevice();

async function collect(): Promise<void> {
  for (let round = 0; round < 4; round++) {
    globalThis.gc?.();
    await turn();
  }
}

function drop(count: number): void {
  for (let i = 0; i < count; i++) {
    const x = fromArray(device, new Float32Array(1000), [1000], 'f32');
    add(x.slice(0, 1), x.slice(0, 0, 999));
  }
}

await collect();
const baseline = device.memory().currentBytes;
drop(100);
const dropped = device.memory().currentBytes - baseline;
await device.synchronize();
await collect();
const left = device.memory();
process.stdout.write(
  JSON.stringify({
    dropped,
    leftBytes: left.currentBytes - baseline,
    leftTensors: left.liveTensors,
  }),
);
await device.close();
