import { Device } from '../../tensor/device.ts';
import { scope } from '../../tensor/scope.ts';
import { encodeImage, encodeText } from '../encode-conditions.ts';
import type { GenerateEvent, MemoryEstimate, Stage } from '../events.ts';
import type { Run } from '../open-run.ts';
import { RunReporter } from '../progress/run-reporter.ts';
import { promptsOf } from '../request.ts';
import { Residency } from '../residency.ts';
import { sampleVideo } from '../sample-video.ts';

/** The parts of a run that are measured apart. */
type Phase = 'encode' | 'sample' | 'decode';

/** Of the steps of a section only the first differ in memory: the sampler remembers two predictions. */
const REHEARSED_STEPS = 3;

/**
 * How much memory a run will take: the run itself on the `meta` device, which allocates like the others and computes
 * nothing. Sections and steps that repeat are left out. A step cache adds what it remembers, the tokens of one or two
 * blocks, which is not counted.
 *
 * @param budgetBytes - the limit that decides which networks stay on the device; null for none.
 */
export async function rehearse(run: Run, budgetBytes: number | null): Promise<MemoryEstimate> {
  await using device = Device.open('meta');
  const peaks: Record<Phase, number> = { encode: 0, sample: 0, decode: 0 };
  let phase: Phase = 'encode';
  const measure = (next: Phase): void => {
    peaks[phase] = Math.max(peaks[phase], device.memory().peakBytes);
    phase = next;
    device.resetPeak();
  };
  const onEvent = (event: GenerateEvent): void => {
    if (event.type === 'stage' && event.stage !== 'load') measure(phaseOf(event.stage));
  };
  const { settings } = run;
  const context = {
    ...run.context,
    ...{ device, budgetBytes, residency: new Residency(budgetBytes) },
    ...{ observer: undefined, pace: async () => {} },
    reporter: new RunReporter(device, run.plan, onEvent),
  };
  const plans = [...new Set([run.plans[0]!, run.plans.at(-2) ?? run.plans[0]!, run.plans.at(-1)!])];
  await scope(async () => {
    const text = await encodeText(context, promptsOf(settings));
    const image = await encodeImage(context, run.picture, run.tiling);
    const steps = Math.min(settings.steps, REHEARSED_STEPS);
    const shortened = {
      settings: { ...settings, steps, stepCache: null },
      plans,
      preview: null,
      job: null,
    };
    await sampleVideo({ ...run, ...shortened, context }, { text, image });
  });
  measure('decode');
  // Networks that an earlier video left on the device are there while the conditions are encoded.
  const encodeBytes = peaks.encode + run.context.residency.keptBytes;
  const { sample: sampleBytes, decode: decodeBytes } = peaks;
  const peakBytes = Math.max(encodeBytes, sampleBytes, decodeBytes);
  return { encodeBytes, sampleBytes, decodeBytes, peakBytes };
}

function phaseOf(stage: Exclude<Stage, 'load'>): Phase {
  return stage === 'sample' || stage === 'decode' ? stage : 'encode';
}
