import { WeightFile } from '../../src/weights/files/weight-file.ts';

/** Arrays of a golden file, read into memory: floats widened to f32, integers as plain numbers. */
export class GoldenFile {
  private readonly file: WeightFile;

  constructor(path: string) {
    this.file = WeightFile.open(path);
  }

  get names(): string[] {
    return [...this.file.header.tensors.keys()];
  }

  has(name: string): boolean {
    return this.file.header.tensors.has(name);
  }

  shape(name: string): readonly number[] {
    return this.entry(name).shape;
  }

  floats(name: string): Float32Array {
    const bytes = this.bytes(name, 'F32');
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  }

  integers(name: string): number[] {
    const bytes = this.bytes(name, 'I64');
    return Array.from(
      new BigInt64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8),
      Number,
    );
  }

  bytes(name: string, dtype: string): Uint8Array {
    const entry = this.entry(name);
    if (entry.storedType !== dtype) {
      throw new Error(`${name}: expected ${dtype}, got ${entry.storedType}`);
    }
    // A fresh copy, so that wider views are aligned.
    return Uint8Array.from(this.file.readBytes(entry));
  }

  private entry(name: string) {
    const entry = this.file.header.tensors.get(name);
    if (!entry) throw new Error(`${this.file.path}: no tensor ${name}`);
    return entry;
  }
}
