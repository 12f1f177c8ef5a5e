import { contiguous } from '../../src/ops/copy.ts';
import type { Device, DeviceDescription } from '../../src/tensor/device.ts';
import { scope } from '../../src/tensor/scope.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { relativeError } from '../../test/golden/report.ts';
import { emptyRow, type RivalResult, type Row } from '../harness/document.ts';
import type { LimitProbes, Probe } from '../harness/limit-probes.ts';
import { DeviceTimer, interleave, type Sampler } from '../harness/measure.ts';
import type { BenchOptions } from '../harness/options.ts';
import { quantile, summarize } from '../harness/statistics.ts';
import type { Rival, RivalCall, RivalVariant, SpilledTensor } from '../rivals/rival.ts';
import { SpillFolder } from '../rivals/spill.ts';

/** What a suite works with. */
export interface BenchContext {
  readonly options: BenchOptions;
  readonly device: Device;
  readonly facts: DeviceDescription;
  /** Null where they could not be built, and for a GPU. */
  readonly limits: LimitProbes | null;
  readonly rivals: readonly Rival[];
  /** Takes a finished row. */
  report(row: Row): void;
  /** Takes a problem that costs part of a row; the run goes on and fails at its end. */
  complain(problem: string): void;
}

/** What a rival needs to do the same. */
export interface RivalTask {
  readonly kind: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly tensors: Readonly<Record<string, Tensor>>;
  /** Operands that lie in files already. */
  readonly stored?: Readonly<Record<string, SpilledTensor>>;
}

/** One call to be measured. */
export interface Subject {
  readonly suite: string;
  readonly name: string;
  /** Of activations. */
  readonly dtype: string;
  /** Of weights, where it is another. */
  readonly weightDtype?: string;
  /** Enqueues the call; a promise is awaited. */
  readonly run: () => Tensor | Promise<Tensor>;
  /** Operations that the result needs. */
  readonly flops?: number;
  /** Bytes that have to be read and written, for work that computes little. */
  readonly bytes?: number;
  readonly rival?: RivalTask;
}

const LIMIT = 'limit';
/** Elements of a result that are compared with a rival's. */
const COMPARED_ELEMENTS = 1 << 22;
/** Largest relative distance from a rival's result: every step of theirs may round to bf16. */
const GATES: Readonly<Record<string, number>> = { f32: 1e-4, f16: 2e-3, bf16: 2e-2 };

/** Whether the filter asks for a row. */
export function isWanted(context: BenchContext, subject: Omit<Subject, 'run'>): boolean {
  return context.options.filter.test(`${subject.suite} ${subject.name} ${dtypeOf(subject)}`);
}

/** Measures a subject together with its limit and the rivals, and reports the row. */
export async function measure(context: BenchContext, subject: Subject): Promise<void> {
  const { device, options, rivals } = context;
  const timer = new DeviceTimer(device, subject.run);
  const residentBefore = process.memoryUsage.rss();
  device.resetPeak();
  await timer.calibrate();
  const residentGrowth = Math.max(0, process.memoryUsage.rss() - residentBefore);
  const { peakBytes } = device.memory();
  const probe = await limitProbe(context, subject);
  const samplers = new Map<string, Sampler>([['ours', () => timer.sample()]]);
  if (probe) {
    const { limits, facts } = context;
    samplers.set(LIMIT, () => limits!.measure(probe, facts.threads ?? 1));
  }
  const contenders = await prepareRivals(context, subject);
  for (const { rival, variants } of contenders) {
    for (const { label, sample } of variants) samplers.set(`${rival.name} ${label}`, sample);
  }
  const results = await interleave(samplers, options);
  for (const rival of rivals) await rival.release();
  const { count, median, spread } = summarize(results.get('ours')!);
  const calls = timer.calls.slice(1);
  const facts = rowFacts(context, subject);
  const cpuMs = quantile(
    calls.map((call) => call.cpuMs),
    0.5,
  );
  const limit = probe ? quantile(results.get(LIMIT)!, 0.5) : undefined;
  context.report({
    ...emptyRow({ ...facts, samples: count, spread }),
    ...facts,
    median_ms: median,
    cpu_ms: device.kind === 'cpu' ? cpuMs : null,
    ...shares({ subject, wallMs: median, cpuMs, limit, threads: context.facts.threads ?? 1 }),
    peak_bytes: peakBytes,
    rss_growth_bytes: residentGrowth,
    event_loop_gap_ms: Math.max(...calls.map((call) => call.eventLoopGapMs)),
    compare: Object.fromEntries(
      contenders.map((contender) => [
        contender.rival.name,
        rivalResult(median, contender, (label) => results.get(`${contender.rival.name} ${label}`)),
      ]),
    ),
  });
}

function rowFacts({ facts }: BenchContext, subject: Subject) {
  return {
    suite: subject.suite,
    name: subject.name,
    device: facts.kind,
    isa: facts.isa ?? null,
    threads: facts.threads ?? null,
    dtype: dtypeOf(subject),
  };
}

function dtypeOf({ dtype, weightDtype = dtype }: Omit<Subject, 'run'>): string {
  return weightDtype === dtype ? dtype : `${dtype} x ${weightDtype}`;
}

async function limitProbe(
  { limits, facts }: BenchContext,
  subject: Subject,
): Promise<Probe | undefined> {
  if (limits === null || facts.kind !== 'cpu') return undefined;
  if (subject.flops !== undefined) return limits.registerProbe(facts.isa ?? '', subject.dtype);
  return subject.bytes === undefined ? undefined : limits.memoryProbe();
}

interface Rates {
  readonly subject: Subject;
  readonly wallMs: number;
  readonly cpuMs: number;
  /** Flop/s or B/s. */
  readonly limit: number | undefined;
  readonly threads: number;
}

function shares({ subject, wallMs, cpuMs, limit, threads }: Rates): Partial<Row> {
  const isCompute = subject.flops !== undefined;
  const work = subject.flops ?? subject.bytes;
  if (work === undefined) return {};
  const rate = work / (wallMs / 1000);
  const share =
    limit === undefined
      ? {}
      : {
          share_of_limit: rate / limit,
          cpu_share_of_limit: cpuMs > 0 ? work / (cpuMs / 1000 / threads) / limit : null,
        };
  return isCompute
    ? { tflops: rate / 1e12, limit_tflops: limit === undefined ? null : limit / 1e12, ...share }
    : {
        gbytes_per_s: rate / 1e9,
        limit_gbytes_per_s: limit === undefined ? null : limit / 1e9,
        ...share,
      };
}

interface Contender {
  readonly rival: Rival;
  readonly variants: readonly RivalVariant[];
  readonly differences: ReadonlyMap<string, number>;
  /** Labels of the variants whose result is off, by the judgement of f64. */
  readonly inexact: ReadonlySet<string>;
}

/** Lets every rival do the call once and compares results; one with another result than ours is judged. */
async function prepareRivals(context: BenchContext, subject: Subject): Promise<Contender[]> {
  const { rival: task } = subject;
  if (task === undefined || context.rivals.length === 0) return [];
  using folder = new SpillFolder();
  const ours = await scope(async () => comparedElements(await subject.run()));
  const call: RivalCall = {
    kind: task.kind,
    options: task.options,
    tensors: { ...(await folder.writeAll(task.tensors)), ...task.stored },
    dtypes: subject.dtype === 'f32' ? ['f32'] : [subject.dtype, 'f32'],
    stride: ours.stride,
  };
  const contenders: Contender[] = [];
  for (const rival of context.rivals.filter((candidate) => candidate.supports(call))) {
    const variants = await rival.prepare(call);
    const differences = new Map(
      variants.map(({ label, result }) => [label, relativeError(ours.values, result)]),
    );
    const gate = GATES[subject.dtype] ?? 0;
    const isClose = Math.max(...differences.values()) <= gate;
    const inexact = isClose
      ? new Set<string>()
      : await judge({ rival, call, variants, ours: ours.values, gate });
    if (typeof inexact === 'string') {
      context.complain(`${subject.suite} ${subject.name}: ${inexact}`);
    } else contenders.push({ rival, variants, differences, inexact });
  }
  return contenders;
}

interface Dispute {
  readonly rival: Rival;
  readonly call: RivalCall;
  readonly variants: readonly RivalVariant[];
  readonly ours: Float32Array;
  readonly gate: number;
}

/** Labels of the variants that are off when all are held to the result in f64, or what is wrong with ours. */
async function judge({
  rival,
  call,
  variants,
  ours,
  gate,
}: Dispute): Promise<Set<string> | string> {
  const exact = await rival.exact(call);
  if (exact === null)
    return `result expected a relative difference of at most ${gate} from ${rival.name}`;
  const error = relativeError(ours, exact);
  if (error > gate) return `result expected within ${gate} of the one in f64, got ${error}`;
  const isOff = ({ result }: RivalVariant): boolean => relativeError(result, exact) > gate;
  return new Set(variants.filter(isOff).map(({ label }) => label));
}

/** Every so many elements of a result, so that comparing a large one takes no minutes. */
async function comparedElements(result: Tensor): Promise<{ values: Float32Array; stride: number }> {
  // Odd, so that it meets every column of the usual widths.
  const stride = 2 * Math.floor(result.size / COMPARED_ELEMENTS / 2) + 1;
  const flat = contiguous(result).reshape([-1]);
  const values = await contiguous(flat.slice(0, 0, flat.size, stride)).readFloat32();
  return { values, stride };
}

/** The fastest variant against ours; of inexact ones only when there is no other. */
function rivalResult(
  ourMs: number,
  { variants, differences, inexact }: Contender,
  samplesOf: (label: string) => readonly number[] | undefined,
): RivalResult {
  const [best] = variants
    .map((variant) => ({ variant, ...summarize(samplesOf(variant.label)!) }))
    .toSorted(
      (a, b) =>
        Number(inexact.has(a.variant.label)) - Number(inexact.has(b.variant.label)) ||
        a.median - b.median,
    );
  const { variant, median, spread } = best!;
  return {
    median_ms: median,
    spread,
    cpu_ms: quantile(variant.cpuMs(), 0.5),
    ratio: median / ourMs,
    variant: variant.label,
    difference: differences.get(variant.label) ?? null,
    is_inexact: inexact.has(variant.label),
  };
}
