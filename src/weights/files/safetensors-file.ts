import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readSync,
  type Stats,
  statSync,
} from 'node:fs';
import { FramePackError } from '../../errors.ts';
import {
  headerByteLength,
  LENGTH_FIELD_BYTES,
  parseSafetensorsHeader,
  type SafetensorsHeader,
  type TensorEntry,
} from './safetensors-header.ts';

/** Files that are often found under a weight file's name, recognised by their first bytes. */
const IMPOSTORS: ReadonlyArray<readonly [RegExp, string]> = [
  [/^version https:\/\/git-lfs/, 'a Git LFS pointer: fetch the real file with "git lfs pull"'],
  [/^\s*<(!doctype|html|\?xml)/i, 'a web page: the download was answered with an error or a login'],
  [/^PK/, 'a PyTorch or zip archive: convert it to safetensors'],
  [/^GGUF/, 'a GGUF file: only safetensors is read'],
];

const SNIFFED_BYTES = 64;

/**
 * One safetensors file whose header has been read and validated. No descriptor stays open.
 *
 * A file that changes after it was opened is refused at the next read: size, modification time and inode are compared
 * each time a tensor is taken. What this cannot stop is a file truncated while a mapped tensor is in use; the
 * operating system ends the process then, as it does for any program that maps a file.
 */
export class SafetensorsFile {
  readonly path: string;
  readonly header: SafetensorsHeader;
  private readonly identity: string;

  private constructor(path: string, header: SafetensorsHeader, identity: string) {
    this.path = path;
    this.header = header;
    this.identity = identity;
  }

  /**
   * Reads and validates the header.
   *
   * @throws {@link FramePackError} `ERR_CHECKPOINT` when the file is missing or is no valid safetensors file.
   */
  static open(path: string): SafetensorsFile {
    return withDescriptor(path, (descriptor) => {
      const stats = fstatSync(descriptor);
      if (!stats.isFile()) throw fault(path, 'expected a regular file');
      const first = readAt(descriptor, 0, Math.min(SNIFFED_BYTES, stats.size));
      refuseImpostor(path, first);
      const length = headerByteLength(first.subarray(0, LENGTH_FIELD_BYTES), stats.size, path);
      const bytes = readAt(descriptor, LENGTH_FIELD_BYTES, length);
      if (bytes.length !== length) throw fault(path, 'expected a file that does not shrink');
      const header = parseSafetensorsHeader(bytes, stats.size, path);
      return new SafetensorsFile(path, header, identityOf(stats));
    });
  }

  /** Throws `ERR_CHECKPOINT` when the file is not the one that was validated. */
  assertUnchanged(): void {
    if (!existsSync(this.path) || identityOf(statSync(this.path)) !== this.identity) {
      throw fault(this.path, 'expected the file as it was opened, got a changed or removed one');
    }
  }

  /** Copies the bytes of one tensor into memory. */
  readBytes(entry: TensorEntry): Uint8Array {
    this.assertUnchanged();
    const bytes = withDescriptor(this.path, (descriptor) =>
      readAt(descriptor, entry.byteOffset, entry.byteLength),
    );
    if (bytes.length !== entry.byteLength) {
      throw fault(
        this.path,
        `tensor ${entry.name} expected ${entry.byteLength} bytes, got ${bytes.length}`,
      );
    }
    return bytes;
  }
}

function withDescriptor<T>(path: string, body: (descriptor: number) => T): T {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (cause) {
    throw fault(path, 'expected a readable file', cause);
  }
  try {
    return body(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Reads up to `length` bytes; fewer only at the end of the file. */
function readAt(descriptor: number, position: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const count = readSync(descriptor, bytes, filled, length - filled, position + filled);
    if (count === 0) break;
    filled += count;
  }
  return bytes.subarray(0, filled);
}

function refuseImpostor(path: string, first: Uint8Array): void {
  const text = Buffer.from(first).toString('latin1');
  for (const [pattern, found] of IMPOSTORS) {
    if (pattern.test(text)) throw fault(path, `expected a safetensors file, got ${found}`);
  }
}

function identityOf({ dev, ino, size, mtimeMs }: Stats): string {
  return `${dev}:${ino}:${size}:${mtimeMs}`;
}

function fault(path: string, text: string, cause?: unknown): FramePackError {
  return new FramePackError(
    'ERR_CHECKPOINT',
    `checkpoint: ${path}: ${text}`,
    { file: path },
    cause,
  );
}
