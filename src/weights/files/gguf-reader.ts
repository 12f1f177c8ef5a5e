import { FramePackError } from '../../errors.ts';

const MAX_TEXT_BYTES = 16_000_000;
const MAX_LIST = 10_000_000;
/** Longest list of numbers that is kept. */
const KEPT_LIST = 8;
const MAX_DEPTH = 4;
const TEXT = 8;
const LIST = 9;

/** Scalars of the metadata by their number in the file: bytes, and how they are read. */
const SCALARS: ReadonlyMap<
  number,
  readonly [bytes: number, read: (view: DataView, at: number) => string]
> = new Map([
  [0, [1, (view, at) => String(view.getUint8(at))]],
  [1, [1, (view, at) => String(view.getInt8(at))]],
  [2, [2, (view, at) => String(view.getUint16(at, true))]],
  [3, [2, (view, at) => String(view.getInt16(at, true))]],
  [4, [4, (view, at) => String(view.getUint32(at, true))]],
  [5, [4, (view, at) => String(view.getInt32(at, true))]],
  [6, [4, (view, at) => String(view.getFloat32(at, true))]],
  [7, [1, (view, at) => String(view.getUint8(at) !== 0)]],
  [10, [8, (view, at) => String(view.getBigUint64(at, true))]],
  [11, [8, (view, at) => String(view.getBigInt64(at, true))]],
  [12, [8, (view, at) => String(view.getFloat64(at, true))]],
]);

/**
 * Reads the fields of a GGUF header one after another. Past the end of the bytes it reads zeros and says so in
 * {@link GgufReader.isShort}, so that the caller can come back with more.
 */
export class GgufReader {
  position = 0;
  isShort = false;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly file: string;
  private readonly decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  constructor(bytes: Uint8Array, file: string) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.file = file;
  }

  /** Moves on; where it was, or null when there are not that many bytes. */
  private advance(count: number): number | null {
    const at = this.position;
    if (this.isShort || at + count > this.bytes.length) {
      this.isShort = true;
      return null;
    }
    this.position = at + count;
    return at;
  }

  skip(count: number): void {
    this.advance(count);
  }

  u32(): number {
    const at = this.advance(4);
    return at === null ? 0 : this.view.getUint32(at, true);
  }

  /** A 64-bit number. @throws {@link FramePackError} `ERR_CHECKPOINT` when it is above the limit. */
  count(what: string, limit: number): number {
    const at = this.advance(8);
    if (at === null) return 0;
    const value = this.view.getBigUint64(at, true);
    if (value > BigInt(limit)) throw this.fault(`${what} expected at most ${limit}, got ${value}`);
    return Number(value);
  }

  text(): string {
    const length = this.count('length of a text', MAX_TEXT_BYTES);
    const at = this.advance(length);
    if (at === null) return '';
    try {
      return this.decoder.decode(this.bytes.subarray(at, at + length));
    } catch {
      throw this.fault('text expected in UTF-8, got other bytes');
    }
  }

  /** A value of the metadata as text; null for one that is passed over. */
  value(): string | null {
    return this.valueOf(this.u32(), 0);
  }

  private valueOf(type: number, depth: number): string | null {
    if (this.isShort) return null;
    if (type === TEXT) return this.text();
    if (type === LIST) return this.list(depth);
    const scalar = SCALARS.get(type);
    if (scalar === undefined) throw this.fault(`metadata expected a known type, got ${type}`);
    const [bytes, read] = scalar;
    const at = this.advance(bytes);
    return at === null ? null : read(this.view, at);
  }

  private list(depth: number): string | null {
    const type = this.u32();
    const length = this.count('length of a list', MAX_LIST);
    if (depth >= MAX_DEPTH) throw this.fault('metadata expected lists in lists at most 4 deep');
    const scalar = SCALARS.get(type);
    if (scalar !== undefined && length > KEPT_LIST) {
      this.skip(length * scalar[0]);
      return null;
    }
    const values: (string | null)[] = [];
    for (let i = 0; i < length && !this.isShort; i++) {
      const value = this.valueOf(type, depth + 1);
      if (scalar !== undefined) values.push(value);
    }
    return scalar === undefined ? null : values.join(' ');
  }

  fault(text: string): FramePackError {
    return new FramePackError('ERR_CHECKPOINT', `checkpoint: ${this.file}: GGUF ${text}`, {
      file: this.file,
    });
  }
}
