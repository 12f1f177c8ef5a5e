import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { linear } from '../../src/ops/linear.ts';
import { Device } from '../../src/tensor/device.ts';
import { scope } from '../../src/tensor/scope.ts';
import { emptyRow } from '../harness/document.ts';
import { DeviceTimer, interleave } from '../harness/measure.ts';
import { randomTensor } from '../harness/random-tensor.ts';
import { quantile, summarize } from '../harness/statistics.ts';
import type { BenchContext } from './subject.ts';

const NAME = 'matmul 64x512x512 beside a busy process';
const TEAM = 2;

/**
 * Suite `contention`: a small operation on two threads and on one while another process takes a core all the time.
 * A team that spins for its members waits for a whole time slice; the ratio shows it.
 */
export async function runContention(context: BenchContext): Promise<void> {
  const { options } = context;
  if (options.device !== 'cpu' || !options.filter.test(`contention ${NAME} bf16`)) return;
  await using alone = Device.open('cpu', { threads: 1, isa: options.isa });
  await using team = Device.open('cpu', { threads: TEAM, isa: options.isa });
  const stranger = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' });
  try {
    await scope(async () => {
      const [single, double] = [smallOperation(alone), smallOperation(team)];
      for (const timer of [single, double]) await timer.calibrate();
      const results = await interleave(
        new Map([
          ['alone', () => single.sample()],
          ['team', () => double.sample()],
        ]),
        options,
      );
      const reference = summarize(results.get('alone')!);
      const { count, median, spread } = summarize(results.get('team')!);
      const cpuMs = (timer: DeviceTimer) => timer.calls.map((call) => call.cpuMs);
      context.report({
        ...emptyRow({ suite: 'contention', name: NAME, device: 'cpu', samples: count, spread }),
        isa: team.describe().isa ?? null,
        threads: TEAM,
        dtype: 'bf16',
        median_ms: median,
        cpu_ms: quantile(cpuMs(double), 0.5),
        compare: {
          'one thread': {
            median_ms: reference.median,
            spread: reference.spread,
            cpu_ms: quantile(cpuMs(single), 0.5),
            ratio: reference.median / median,
            variant: 'bf16',
            difference: null,
            is_inexact: false,
          },
        },
      });
    });
  } finally {
    await end(stranger);
  }
}

function smallOperation(device: Device): DeviceTimer {
  const x = randomTensor(device, [64, 512], 'bf16', { seed: 1 });
  const weight = randomTensor(device, [512, 512], 'bf16', { seed: 2 });
  return new DeviceTimer(device, () => linear(x, weight));
}

async function end(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}
