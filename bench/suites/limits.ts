import { emptyRow } from '../harness/document.ts';
import { interleave } from '../harness/measure.ts';
import { summarize } from '../harness/statistics.ts';
import type { BenchContext } from './subject.ts';

/** Suite `limits`: what this machine does at most, with one thread and with all. */
export async function runLimits(context: BenchContext): Promise<void> {
  const { limits, facts, options } = context;
  if (limits === null) return;
  const counts = [...new Set([1, facts.threads ?? 1])];
  const rows = limits.probes.flatMap((probe) => counts.map((threads) => ({ probe, threads })));
  const wanted = rows.filter(({ probe }) => options.filter.test(`limits ${nameOf(probe)}`));
  const samplers = new Map(
    wanted.map(({ probe, threads }) => [
      `${nameOf(probe)} ${threads}`,
      () => limits.measure(probe, threads),
    ]),
  );
  const results = await interleave(samplers, options);
  for (const { probe, threads } of wanted) {
    const name = nameOf(probe);
    const { count, median, spread } = summarize(results.get(`${name} ${threads}`)!);
    context.report({
      ...emptyRow({ suite: 'limits', name, device: 'cpu', samples: count, spread }),
      isa: probe.isa === '' ? null : probe.isa,
      threads,
      dtype: probe.dtype === '' ? null : probe.dtype,
      ...(probe.unit === 'flop/s' ? { tflops: median / 1e12 } : { gbytes_per_s: median / 1e9 }),
    });
  }
}

function nameOf({ name, isa, dtype }: { name: string; isa: string; dtype: string }): string {
  return [name, isa, dtype].filter((part) => part !== '').join(' ');
}
