import { fileURLToPath } from 'node:url';
import { FramePackError } from '../../src/errors.ts';
import type { DoneEvent, Stage } from '../../src/pipeline/events.ts';
import { generate } from '../../src/pipeline/generate.ts';
import { emptyRow } from '../harness/document.ts';
import { EventLoopWatch } from '../harness/measure.ts';
import { quantile, summarize } from '../harness/statistics.ts';
import type { BenchContext } from './subject.ts';

/** The checkpoint of the repository. */
export const TINY_MODEL: string = fileURLToPath(
  new URL('../../models/tiny-framepack', import.meta.url),
);
const PICTURE = fileURLToPath(new URL('../../assets/picture-1.png', import.meta.url));
const PROMPT = 'A yellow ring grows and shrinks over a snowy field.';
const SECONDS = 1.2;
const MOST_RUNS = 5;

interface Run {
  readonly stages: ReadonlyMap<Stage, number>;
  readonly done: DoneEvent;
  readonly cpuMs: number;
  readonly eventLoopGapMs: number;
}

/** Suite `generate`: a whole video, per second of video, split by the stages that every user sees. */
export async function runGenerate(context: BenchContext): Promise<void> {
  const { options, facts } = context;
  if (!options.filter.test('generate')) return;
  if (options.isa !== undefined) {
    throw new FramePackError(
      'ERR_ARGUMENT',
      `bench: generate expected no --isa (set FRAMEPACK_CPU_ISA instead), got ${options.isa}`,
    );
  }
  await once(context);
  const runs: Run[] = [];
  const end = performance.now() + options.seconds * 1000;
  do {
    runs.push(await once(context));
  } while (runs.length < Math.min(options.samples, MOST_RUNS) && performance.now() < end);
  const report = (name: string, durationOf: (run: Run) => number, isTotal: boolean): void => {
    const { count, median, spread } = summarize(runs.map(durationOf));
    context.report({
      ...emptyRow({ suite: 'generate', name, device: facts.kind, samples: count, spread }),
      isa: facts.isa ?? null,
      threads: facts.threads ?? null,
      median_ms: median,
      ...(isTotal && {
        cpu_ms: quantile(
          runs.map(({ cpuMs }) => cpuMs),
          0.5,
        ),
        peak_bytes: Math.max(...runs.map(({ done }) => done.peakBytes)),
        event_loop_gap_ms: Math.max(...runs.map(({ eventLoopGapMs }) => eventLoopGapMs)),
      }),
    });
  };
  report('one second of video', (run) => perVideoSecond(run.done.elapsedMs, run.done), true);
  for (const stage of runs[0]!.stages.keys()) {
    report(`stage ${stage}`, (run) => perVideoSecond(run.stages.get(stage) ?? 0, run.done), false);
  }
}

function perVideoSecond(ms: number, done: DoneEvent): number {
  return ms / (done.numFrames / done.fps);
}

async function once({ options, facts }: BenchContext): Promise<Run> {
  const watch = new EventLoopWatch();
  const cpu = process.cpuUsage();
  const begins: { stage: Stage; ms: number }[] = [];
  let done: DoneEvent | undefined;
  for await (const event of generate({
    model: options.checkpoint ?? TINY_MODEL,
    image: PICTURE,
    prompt: PROMPT,
    seconds: SECONDS,
    device: options.device,
    threads: facts.threads,
  })) {
    if (event.type === 'stage') begins.push({ stage: event.stage, ms: event.elapsedMs });
    if (event.type === 'done') done = event;
  }
  const { user, system } = process.cpuUsage(cpu);
  if (done === undefined) throw new Error('generate: expected the event done, got the end');
  const stages = new Map<Stage, number>();
  for (const [index, { stage, ms }] of begins.entries()) {
    const next = begins[index + 1]?.ms ?? done.elapsedMs;
    stages.set(stage, (stages.get(stage) ?? 0) + next - ms);
  }
  return { stages, done, cpuMs: (user + system) / 1000, eventLoopGapMs: watch.stop() };
}
