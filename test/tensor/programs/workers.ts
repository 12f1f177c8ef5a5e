import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';
import { add } from '../../../src/ops/elementwise.ts';
import { fromArray } from '../../../src/tensor/tensor.ts';
import { busyDevice, openDevice } from './load.ts';

/**
 * Two workers and the main thread compute at once; then workers are terminated in the middle of work, some
 * of them waiting for a read. Prints the sum of what was computed.
 */
async function compute(): Promise<number> {
  await using device = openDevice();
  let x = fromArray(device, new Float32Array(100).fill(1), [100], 'f32');
  for (let i = 0; i < 50; i++) x = add(x, 1);
  return (await x.read())[0]!;
}

/** A worker that runs this file; the TypeScript loader has to be registered in every thread. */
function start(): Worker {
  const program = `import('tsx/esm/api').then(({ register }) => {
    register();
    return import(${JSON.stringify(import.meta.url)});
  });`;
  return new Worker(program, { eval: true, argv: process.argv.slice(2) });
}

async function inWorker(): Promise<void> {
  parentPort?.postMessage(await compute());
  const { result } = busyDevice();
  parentPort?.postMessage('busy');
  await result.read();
}

async function inMain(): Promise<void> {
  const workers = [start(), start(), start()];
  const answers = workers.map(async (worker) => (await once(worker, 'message'))[0] as number);
  const sums = await Promise.all([compute(), ...answers]);
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  await sleep(20);
  await Promise.all(workers.map((worker) => worker.terminate()));
  sums.push(await compute());
  process.stdout.write(JSON.stringify(sums));
}

await (isMainThread ? inMain() : inWorker());
