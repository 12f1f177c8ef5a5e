import { Device } from '../src/tensor/device.ts';
import type { BenchDocument, Row } from './harness/document.ts';
import { LimitProbes } from './harness/limit-probes.ts';
import { describeMachine } from './harness/machine.ts';
import type { BenchOptions, RivalName, SuiteName } from './harness/options.ts';
import { OnnxRuntimeRival } from './rivals/onnxruntime.ts';
import type { Rival } from './rivals/rival.ts';
import { TorchRival } from './rivals/torch.ts';
import { runBlocks } from './suites/block.ts';
import { runContention } from './suites/contention.ts';
import { runDit } from './suites/dit.ts';
import { runGenerate } from './suites/generate.ts';
import { runLimits } from './suites/limits.ts';
import { runOps } from './suites/ops.ts';
import type { BenchContext } from './suites/subject.ts';
import { runVae } from './suites/vae.ts';

const SUITES: Readonly<Record<SuiteName, (context: BenchContext) => Promise<void>>> = {
  limits: runLimits,
  ops: runOps,
  block: runBlocks,
  dit: runDit,
  vae: runVae,
  generate: runGenerate,
  contention: runContention,
};

/** Hears of a run as it goes. */
export interface BenchListener {
  onRow(row: Row): void;
  /** Something that costs part of the result. */
  onProblem(problem: string): void;
}

/** Runs what the options ask for. A missing rival or missing probes are problems, not errors. */
export async function runBench(
  options: BenchOptions,
  listener: BenchListener,
): Promise<BenchDocument> {
  const { threads, isa } = options;
  await using device = Device.open(options.device, { threads, isa });
  const facts = device.describe();
  const complain = (problem: string) => listener.onProblem(problem);
  const rivals = await startRivals(options, facts.threads ?? 1, complain);
  const limits = options.device === 'cpu' ? await startLimits(complain) : null;
  const rows: Row[] = [];
  const versions = Object.fromEntries(rivals.map(({ name, version }) => [name, version]));
  const machine = describeMachine(facts, versions);
  const context: BenchContext = {
    ...{ options, device, facts, limits, rivals, complain },
    report: (row) => {
      rows.push(row);
      listener.onRow(row);
    },
  };
  try {
    for (const suite of options.suites) await SUITES[suite](context);
  } finally {
    await Promise.all([limits?.close(), ...rivals.map((rival) => rival.close())]);
  }
  return { machine, rows };
}

type Complain = (problem: string) => void;

async function startLimits(complain: Complain): Promise<LimitProbes | null> {
  try {
    return await LimitProbes.start();
  } catch (error) {
    complain(`limits: cannot be measured: ${messageOf(error)}`);
    return null;
  }
}

async function startRivals(
  { compare, python, device }: BenchOptions,
  threads: number,
  complain: Complain,
): Promise<Rival[]> {
  const starters: Readonly<Record<RivalName, () => Promise<Rival>>> = {
    torch: () => TorchRival.start(python, threads, device),
    'onnxruntime-node': async () => OnnxRuntimeRival.start(threads),
  };
  const rivals: Rival[] = [];
  for (const name of new Set(compare)) {
    try {
      rivals.push(await starters[name]());
    } catch (error) {
      complain(`${name}: cannot be compared: ${messageOf(error)}`);
    }
  }
  return rivals;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
