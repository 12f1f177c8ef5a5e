import { z } from 'zod';

/** A program that does the same, measured in the same rounds. */
export interface RivalResult {
  readonly median_ms: number;
  readonly spread: number;
  /** CPU time of one call over all threads of the rival, spinning included. */
  readonly cpu_ms: number | null;
  /** Its time divided by ours: above 1 we are faster. */
  readonly ratio: number;
  /** The fastest way that the rival has, such as `bf16 channels-last`. */
  readonly variant: string;
  /** Relative Euclidean distance of its result from ours; null where there is none to compare. */
  readonly difference: number | null;
  /** Whether its result is farther from the one in f64 than the gate allows, while ours is not. */
  readonly is_inexact: boolean;
}

/** One measured thing. */
export interface Row {
  readonly suite: string;
  readonly name: string;
  readonly device: string;
  readonly isa: string | null;
  readonly threads: number | null;
  /** Activations, then weights where those differ: `f32 x bf16`. Null where there is no one answer. */
  readonly dtype: string | null;
  readonly samples: number;
  /** Wall time of one call. */
  readonly median_ms: number | null;
  /** Interquartile range over median of the row's quantity: 0.1 is 10 %. */
  readonly spread: number;
  /** CPU time of one call over all threads of the process. */
  readonly cpu_ms: number | null;
  readonly tflops: number | null;
  readonly gbytes_per_s: number | null;
  /** Register peak of `threads` threads that had their cores to themselves, measured between the samples. */
  readonly limit_tflops: number | null;
  /** Bandwidth of main memory, measured between the samples. */
  readonly limit_gbytes_per_s: number | null;
  /** By wall time: what waits for a core counts as lost. */
  readonly share_of_limit: number | null;
  /** By CPU time: tells about kernels on a machine with other work, flatters where threads wait for each other. */
  readonly cpu_share_of_limit: number | null;
  /** Most bytes on the device at once, operands and mapped weights included. */
  readonly peak_bytes: number | null;
  /** Growth of the resident set of the process by the first call, mapped weights included. */
  readonly rss_growth_bytes: number | null;
  /** Longest time between two turns of the event loop while calls ran. */
  readonly event_loop_gap_ms: number | null;
  readonly compare: Readonly<Record<string, RivalResult>>;
}

/** Where and when. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memory_bytes: number;
  /** Runnable processes in the last 1, 5 and 15 minutes when the run began; ours are not among them yet. */
  readonly load: readonly [number, number, number];
  readonly system: string;
  readonly node: string;
  /** Null outside a git checkout; ends in `-dirty` with changes that are not committed. */
  readonly commit: string | null;
  readonly date: string;
  readonly device: string;
  /** Versions of the programs compared with. */
  readonly rivals: Readonly<Record<string, string>>;
}

/** One run of the harness: what `npm run bench -- --json` prints. */
export interface BenchDocument {
  readonly machine: Machine;
  readonly rows: readonly Row[];
}

const text = z.string().min(1);
const amount = z.number().nonnegative();
const count = z.number().int().positive();
const optional = amount.nullable();

const rivalResult: z.ZodType<RivalResult> = z.strictObject({
  median_ms: amount,
  spread: amount,
  cpu_ms: optional,
  ratio: amount,
  variant: text,
  difference: optional,
  is_inexact: z.boolean(),
});

const row: z.ZodType<Row> = z.strictObject({
  suite: text,
  name: text,
  device: text,
  isa: text.nullable(),
  threads: count.nullable(),
  dtype: text.nullable(),
  samples: count,
  median_ms: optional,
  spread: amount,
  cpu_ms: optional,
  tflops: optional,
  gbytes_per_s: optional,
  limit_tflops: optional,
  limit_gbytes_per_s: optional,
  share_of_limit: optional,
  cpu_share_of_limit: optional,
  peak_bytes: optional,
  rss_growth_bytes: optional,
  event_loop_gap_ms: optional,
  compare: z.record(text, rivalResult),
});

const machine: z.ZodType<Machine> = z.strictObject({
  cpu: text,
  cores: count,
  memory_bytes: count,
  load: z.tuple([amount, amount, amount]),
  system: text,
  node: text,
  commit: text.nullable(),
  date: z.iso.datetime(),
  device: text,
  rivals: z.record(text, text),
});

/** Checks a document from a file or a pipe. */
export const benchDocument: z.ZodType<BenchDocument> = z.strictObject({
  machine,
  rows: z.array(row),
});

/** A row without measurements; suites fill in what they have. */
export function emptyRow(
  facts: Pick<Row, 'suite' | 'name' | 'device' | 'samples' | 'spread'>,
): Row {
  return {
    ...facts,
    isa: null,
    threads: null,
    dtype: null,
    median_ms: null,
    cpu_ms: null,
    tflops: null,
    gbytes_per_s: null,
    limit_tflops: null,
    limit_gbytes_per_s: null,
    share_of_limit: null,
    cpu_share_of_limit: null,
    peak_bytes: null,
    rss_growth_bytes: null,
    event_loop_gap_ms: null,
    compare: {},
  };
}
