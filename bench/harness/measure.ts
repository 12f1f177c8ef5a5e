import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Device } from '../../src/tensor/device.ts';
import { scope } from '../../src/tensor/scope.ts';

/** Takes one sample of something. */
export type Sampler = () => Promise<number>;

/** How long to sample. */
export interface SamplingPlan {
  /** Most rounds. */
  readonly samples: number;
  /** No further round begins after so many seconds, but for the first few. */
  readonly seconds: number;
}

const FEWEST_ROUNDS = 5;
/** Threads of a rival may spin for a while after its call; they must not take our cores. */
const REST_MS = 50;

/**
 * Samples everything in turn, round by round, so that a machine whose speed drifts treats all alike. Every second
 * round goes backwards. The first sample of each is a warm-up and is dropped.
 */
export async function interleave(
  samplers: ReadonlyMap<string, Sampler>,
  plan: SamplingPlan,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const names = [...samplers.keys()];
  for (const name of names) await samplers.get(name)!();
  collectGarbage();
  const results = new Map<string, number[]>(names.map((name) => [name, []]));
  const end = performance.now() + plan.seconds * 1000;
  for (let round = 0; round < plan.samples; round++) {
    if (round >= FEWEST_ROUNDS && performance.now() > end) break;
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      await rest(REST_MS);
      results.get(name)!.push(await samplers.get(name)!());
    }
  }
  return results;
}

/**
 * What the set-up left behind would be collected in the middle of a sample and show as a pause of the event loop; so
 * would V8's second look at it some seconds later.
 */
function collectGarbage(): void {
  setFlagsFromString('--no-memory-reducer');
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

/** One timed call. */
export interface CallTime {
  readonly wallMs: number;
  /** Of all threads of this process. */
  readonly cpuMs: number;
  readonly eventLoopGapMs: number;
}

/** Calls shorter than this are repeated within a sample. */
const SAMPLE_MS = 20;
const MAX_REPEATS = 1000;

/** Times work on a device from the moment it is enqueued until the device has done it. */
export class DeviceTimer {
  readonly calls: CallTime[] = [];
  private readonly device: Device;
  private readonly work: () => unknown;
  private repeats = 1;

  /** Tensors that `work` makes are freed when it returns or, with a promise, settles. */
  constructor(device: Device, work: () => unknown) {
    this.device = device;
    this.work = work;
  }

  /** Runs once and decides from it how often a sample repeats the call. */
  async calibrate(): Promise<CallTime> {
    this.repeats = 1;
    const first = await this.time();
    const wanted = Math.round(SAMPLE_MS / Math.max(first.wallMs, SAMPLE_MS / MAX_REPEATS));
    this.repeats = Math.max(1, wanted);
    return first;
  }

  /** One sample: milliseconds of one call. */
  async sample(): Promise<number> {
    const call = await this.time();
    this.calls.push(call);
    return call.wallMs;
  }

  private async time(): Promise<CallTime> {
    const watch = new EventLoopWatch();
    const cpu = process.cpuUsage();
    const start = performance.now();
    for (let i = 0; i < this.repeats; i++) await this.runOnce();
    await this.device.synchronize();
    const wallMs = (performance.now() - start) / this.repeats;
    const { user, system } = process.cpuUsage(cpu);
    return {
      wallMs,
      cpuMs: (user + system) / 1000 / this.repeats,
      eventLoopGapMs: watch.stop(),
    };
  }

  // Synchronous work is only enqueued, so that a device is never idle between two calls of a sample.
  private runOnce(): unknown {
    return scope(() => {
      const result = this.work();
      return result instanceof Promise ? result.then(() => undefined) : undefined;
    });
  }
}

/** Longest pause between two turns of the event loop; a timer every millisecond looks at the clock. */
export class EventLoopWatch {
  private longestMs = 0;
  private last: number = performance.now();
  private readonly timer: NodeJS.Timeout = setInterval(() => this.look(), 1);

  /** Ends the watch; milliseconds. */
  stop(): number {
    clearInterval(this.timer);
    this.look();
    return this.longestMs;
  }

  private look(): void {
    const now = performance.now();
    this.longestMs = Math.max(this.longestMs, now - this.last);
    this.last = now;
  }
}

function rest(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
