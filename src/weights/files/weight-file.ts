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
import { GGUF_MAGIC, MAX_GGUF_HEADER_BYTES, parseGgufHeader } from './gguf-header.ts';
import {
  headerByteLength,
  LENGTH_FIELD_BYTES,
  parseSafetensorsHeader,
  type TensorEntry,
  type WeightFileHeader,
} from './safetensors-header.ts';

/** Files that are often found under a weight file's name, recognised by their first bytes. */
const IMPOSTORS: ReadonlyArray<readonly [RegExp, string]> = [
  [/^version https:\/\/git-lfs/, 'a Git LFS pointer: fetch the real file with "git lfs pull"'],
  [/^\s*<(!doctype|html|\?xml)/i, 'a web page: the download was answered with an error or a login'],
  [/^PK/, 'a PyTorch or zip archive: convert it to safetensors'],
];

const SNIFFED_BYTES = 64;
/** First try at the header of a GGUF file, which does not say how long it is. */
const GGUF_HEADER_GUESS = 65_536;

/**
 * One safetensors or GGUF file whose header has been read and validated. No descriptor stays open.
 *
 * A file that changes after it was opened is refused at the next read: size, modification time and inode are compared
 * each time a tensor is taken. What this cannot stop is a file truncated while a mapped tensor is in use; the
 * operating system ends the process then, as it does for any program that maps a file.
 */
export class WeightFile {
  readonly path: string;
  readonly header: WeightFileHeader;
  private readonly identity: string;

  private constructor(path: string, header: WeightFileHeader, identity: string) {
    this.path = path;
    this.header = header;
    this.identity = identity;
  }

  /**
   * Reads and validates the header; the first bytes tell the format.
   *
   * @throws {@link FramePackError} `ERR_CHECKPOINT` when the file is missing or is no valid file of either format.
   */
  static open(path: string): WeightFile {
    return withDescriptor(path, (descriptor) => {
      const stats = fstatSync(descriptor);
      if (!stats.isFile()) throw fault(path, 'expected a regular file');
      const first = readAt(descriptor, 0, Math.min(SNIFFED_BYTES, stats.size));
      refuseImpostor(path, first);
      const isGguf = Buffer.from(first.subarray(0, GGUF_MAGIC.length)).equals(GGUF_MAGIC);
      const header = isGguf
        ? readGgufHeader(descriptor, stats.size, path)
        : readSafetensorsHeader(descriptor, first, stats.size, path);
      return new WeightFile(path, header, identityOf(stats));
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

function readSafetensorsHeader(
  descriptor: number,
  first: Uint8Array,
  fileBytes: number,
  path: string,
): WeightFileHeader {
  const length = headerByteLength(first.subarray(0, LENGTH_FIELD_BYTES), fileBytes, path);
  const bytes = readAt(descriptor, LENGTH_FIELD_BYTES, length);
  if (bytes.length !== length) throw fault(path, 'expected a file that does not shrink');
  return parseSafetensorsHeader(bytes, fileBytes, path);
}

/** Reads more and more of the file until the header is complete. */
function readGgufHeader(descriptor: number, fileBytes: number, path: string): WeightFileHeader {
  const limit = Math.min(fileBytes, MAX_GGUF_HEADER_BYTES);
  for (let length = Math.min(GGUF_HEADER_GUESS, limit); ; length = Math.min(length * 8, limit)) {
    const header = parseGgufHeader(readAt(descriptor, 0, length), fileBytes, path);
    if (header !== null) return header;
    if (length < limit) continue;
    const expected = `a header of at most ${limit} bytes`;
    throw fault(path, `GGUF file expected ${expected}, got a longer one: the file is cut off`);
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
    if (pattern.test(text)) throw fault(path, `expected a safetensors or GGUF file, got ${found}`);
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
