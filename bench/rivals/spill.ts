import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tensor } from '../../src/tensor/tensor.ts';
import type { SpilledTensor } from './rival.ts';

/** A temporary folder of operands as raw bytes; gone with the `using` that made it, or with the process. */
export class SpillFolder {
  readonly path: string = mkdtempSync(join(tmpdir(), 'framepack-bench-'));
  private numFiles = 0;
  private readonly remove = (): void => rmSync(this.path, { recursive: true, force: true });

  constructor() {
    process.once('exit', this.remove);
  }

  /** Writes a tensor's elements in order. */
  async write(tensor: Tensor): Promise<SpilledTensor> {
    const file = join(this.path, `${this.numFiles++}.bin`);
    const { buffer, byteOffset, byteLength } = await tensor.read();
    writeFileSync(file, new Uint8Array(buffer, byteOffset, byteLength));
    return { file, offset: 0, dtype: tensor.dtype, shape: tensor.shape };
  }

  async writeAll(
    tensors: Readonly<Record<string, Tensor>>,
  ): Promise<Readonly<Record<string, SpilledTensor>>> {
    const entries: [string, SpilledTensor][] = [];
    for (const [name, tensor] of Object.entries(tensors)) {
      entries.push([name, await this.write(tensor)]);
    }
    return Object.fromEntries(entries);
  }

  [Symbol.dispose](): void {
    process.off('exit', this.remove);
    this.remove();
  }
}
