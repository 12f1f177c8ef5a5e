import { setTimeout as sleep } from 'node:timers/promises';
import { busyDevice } from './load.ts';

/** Leaves in the middle of work, the way that the argument names. */
const { device, result } = busyDevice();
await sleep(20);
switch (process.argv[2]) {
  case 'exit':
    process.exit(7);
    break;
  case 'throw':
    throw new Error('on purpose');
  case 'exit while waiting':
    void result.read();
    void device.synchronize();
    await sleep(20);
    process.exit(7);
    break;
  case 'end':
    break;
  default:
    throw new Error(`unknown way to leave: ${process.argv[2]}`);
}
