import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type DType, decode, typedArray } from '../../src/tensor/dtype.ts';
import { sizeOf } from '../../src/tensor/shape.ts';
import { matmulModel } from './onnx-model.ts';
import type { Rival, RivalCall, RivalVariant, SpilledTensor } from './rival.ts';

const PACKAGE = 'onnxruntime-node';

interface Session {
  run(feeds: Record<string, unknown>): Promise<Record<string, { data: Float32Array }>>;
  release(): Promise<void>;
}

/** What is used of the package, which is far too large to depend on. */
interface OnnxRuntime {
  readonly Tensor: new (type: string, data: Float32Array, shape: readonly number[]) => unknown;
  readonly InferenceSession: {
    create(model: Uint8Array, options: Record<string, unknown>): Promise<Session>;
  };
}

/** ONNX Runtime's MatMul in f32, in this process: it is what a Node program would use instead. */
export class OnnxRuntimeRival implements Rival {
  readonly name: string = PACKAGE;
  readonly version: string;
  private readonly runtime: OnnxRuntime;
  private readonly threads: number;
  private session: Session | undefined;

  private constructor(runtime: OnnxRuntime, version: string, threads: number) {
    this.runtime = runtime;
    this.version = version;
    this.threads = threads;
  }

  /** @throws an `Error` that tells how to install it. */
  static start(threads: number): OnnxRuntimeRival {
    const require = createRequire(import.meta.url);
    try {
      const { version } = require(`${PACKAGE}/package.json`) as { version: string };
      return new OnnxRuntimeRival(require(PACKAGE) as OnnxRuntime, version, threads);
    } catch (cause) {
      const install = `npm install --no-save --ignore-scripts ${PACKAGE}`;
      throw new Error(`${PACKAGE}: expected to be installed (${install})`, { cause });
    }
  }

  supports({ kind, tensors, options }: RivalCall): boolean {
    const isFloat = Object.values(tensors).every(({ dtype }) => /^(f32|f16|bf16)$/.test(dtype));
    const isPlain = Object.keys(tensors).every((name) => name === 'x' || name === 'weight');
    return kind === 'linear' && isFloat && isPlain && (options.activation ?? 'none') === 'none';
  }

  async prepare(call: RivalCall): Promise<readonly RivalVariant[]> {
    const { x, weight } = call.tensors as { x: SpilledTensor; weight: SpilledTensor };
    const [n = 0, k = 0] = weight.shape;
    const m = sizeOf(x.shape) / k;
    const transposed = transpose(readElements(weight), n, k);
    const model = matmulModel(m, k, n, new Uint8Array(transposed.buffer));
    const session = await this.runtime.InferenceSession.create(model, {
      intraOpNumThreads: this.threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
    });
    this.session = session;
    const feeds = { a: new this.runtime.Tensor('float32', readElements(x), [m, k]) };
    const cpu: number[] = [];
    const sample = async (): Promise<number> => {
      const before = process.cpuUsage();
      const start = performance.now();
      await session.run(feeds);
      const wallMs = performance.now() - start;
      const { user, system } = process.cpuUsage(before);
      cpu.push((user + system) / 1000);
      return wallMs;
    };
    const { c } = await session.run(feeds);
    const result = c!.data.filter((_, index) => index % call.stride === 0);
    return [{ label: 'f32', sample, cpuMs: () => cpu, result }];
  }

  async exact(): Promise<null> {
    return null;
  }

  async release(): Promise<void> {
    await this.session?.release();
    this.session = undefined;
  }

  async close(): Promise<void> {
    await this.release();
  }
}

function readElements({ file, offset, dtype, shape }: SpilledTensor): Float32Array {
  const { buffer, byteOffset } = readFileSync(file);
  const width = typedArray(dtype as DType, 0).BYTES_PER_ELEMENT;
  const start = byteOffset + offset;
  const bytes = buffer.slice(start, start + sizeOf(shape) * width) as ArrayBuffer;
  return decode(typedArray(dtype as DType, bytes), dtype as DType);
}

/** `[rows, columns]` to `[columns, rows]`. */
function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      result[column * rows + row] = values[row * columns + column]!;
    }
  }
  return result;
}
