import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { JsonLinesChild } from '../harness/json-lines-child.ts';
import type { Rival, RivalCall, RivalVariant } from './rival.ts';
import { SpillFolder } from './spill.ts';

const WORKER = fileURLToPath(new URL('torch_worker.py', import.meta.url));
const SAMPLE_MS = 20;
/** A variant this much slower than the best in its first call is not sampled. */
const HOPELESS = 2;

interface Prepared {
  readonly variants: readonly {
    readonly label: string;
    readonly ms: number;
    readonly file: string;
  }[];
}

/** PyTorch on the same kind of device, in a process of its own that lives as long as the run. */
export class TorchRival implements Rival {
  readonly name = 'torch';
  readonly version: string;
  private readonly child: JsonLinesChild;
  private readonly kinds: ReadonlySet<string>;
  private readonly folder: SpillFolder;

  private constructor(child: JsonLinesChild, hello: { version: string; kinds: string[] }) {
    this.child = child;
    this.version = hello.version;
    this.kinds = new Set(hello.kinds);
    this.folder = new SpillFolder();
  }

  /** @throws an `Error` when the interpreter is missing or has no torch. */
  static async start(python: string, threads: number, device: 'cpu' | 'cuda'): Promise<TorchRival> {
    const child = new JsonLinesChild(python, [WORKER, String(threads), '--device', device]);
    return new TorchRival(child, (await child.next()) as { version: string; kinds: string[] });
  }

  supports(call: RivalCall): boolean {
    const isFloat = Object.values(call.tensors).every(({ dtype }) =>
      /^(f32|f16|bf16)$/.test(dtype),
    );
    const isMasked = (call.options.mask ?? 'none') !== 'none';
    return this.kinds.has(call.kind) && isFloat && !isMasked;
  }

  async prepare(call: RivalCall): Promise<readonly RivalVariant[]> {
    const { variants } = (await this.ask({
      command: 'prepare',
      ...call,
      folder: this.folder.path,
    })) as Prepared;
    const best = Math.min(...variants.map(({ ms }) => ms));
    const hopeful = variants.filter(({ ms }) => ms <= best * HOPELESS);
    return hopeful.map(({ label, ms, file }) => this.variant(label, ms, file));
  }

  async exact(call: RivalCall): Promise<Float64Array> {
    const { file } = (await this.ask({
      command: 'exact',
      ...call,
      folder: this.folder.path,
    })) as { file: string };
    return new Float64Array(readFileSync(file).buffer);
  }

  async release(): Promise<void> {
    await this.ask({ command: 'release' });
  }

  async close(): Promise<void> {
    await this.child.close();
    this.folder[Symbol.dispose]();
  }

  private variant(label: string, firstMs: number, file: string): RivalVariant {
    const repeats = Math.max(1, Math.round(SAMPLE_MS / Math.max(firstMs, 0.02)));
    const cpu: number[] = [];
    const sample = async (): Promise<number> => {
      const times = (await this.ask({ command: 'sample', label, repeats })) as {
        ms: number;
        cpuMs: number;
      };
      cpu.push(times.cpuMs);
      return times.ms;
    };
    return { label, sample, cpuMs: () => cpu, result: readFloats(file) };
  }

  private async ask(message: object): Promise<unknown> {
    const answer = (await this.child.request(JSON.stringify(message))) as { error?: string };
    if (answer.error !== undefined) throw new Error(`torch: ${answer.error}`);
    return answer;
  }
}

function readFloats(file: string): Float32Array {
  const floats = new Float32Array(statSync(file).size / 4);
  const descriptor = openSync(file, 'r');
  try {
    readSync(descriptor, floats);
  } finally {
    closeSync(descriptor);
  }
  return floats;
}
