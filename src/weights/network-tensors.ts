import { FramePackError } from '../errors.ts';
import type { Device } from '../tensor/device.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { TensorEntry } from './files/safetensors-header.ts';
import { FP8_MARKERS, type NetworkNames } from './network-names.ts';
import { isScaleName } from './scaled-weight.ts';
import type { TensorSource } from './tensor-source.ts';

const LISTED_NAMES = 8;

/**
 * The tensors of one network under the names that its loader asks for, and the account of which it has taken.
 *
 * A prefix or the names of another exporter are recognised by {@link NetworkNames}; errors speak of the names in the
 * file.
 */
export class NetworkTensors implements TensorSource {
  readonly device: Device;
  readonly wideType: 'f16' | 'bf16';
  private readonly source: TensorSource;
  private readonly rules: NetworkNames;
  private readonly prefix: string;
  /** Name here to name in the file. */
  private readonly stored: ReadonlyMap<string, string>;
  private readonly taken = new Set<string>();
  private readonly left: string[] = [];

  /**
   * @param root - where the network lies in the source, with its dot, or empty.
   * @throws {@link FramePackError} `ERR_CHECKPOINT` when the source holds no such network, or two of it.
   */
  constructor(source: TensorSource, root: string, rules: NetworkNames) {
    this.device = source.device;
    this.wideType = source.wideType;
    this.source = source;
    this.rules = rules;
    const found = rules.prefixes
      .toSorted((a, b) => b.length - a.length)
      .map((prefix) => `${root}${prefix}`)
      .map((prefix) => ({ prefix, names: namesBelow(source, prefix, rules) }))
      .filter(({ names }) => names.has(rules.anchor));
    const [network, other] = found;
    if (network === undefined) throw noNetwork(source, root, rules);
    if (other !== undefined) {
      throw fault(
        `the ${rules.network} expected once, got it below "${network.prefix}" and "${other.prefix}"`,
      );
    }
    this.prefix = network.prefix;
    this.stored = network.names;
  }

  names(): readonly string[] {
    return [...this.stored.keys()];
  }

  has(name: string): boolean {
    return this.stored.has(name);
  }

  entryOf(name: string): TensorEntry {
    return this.source.entryOf(this.inFile(name));
  }

  take(name: string, shape: readonly number[]): Tensor {
    this.taken.add(name);
    const stored = this.inFile(name);
    const found = this.source.entryOf(stored).shape;
    if (!isPointwise(found, shape)) return this.source.take(stored, shape);
    using convolution = this.source.take(stored, found);
    return convolution.reshape(shape);
  }

  takeRows(name: string, shape: readonly number[], rows: readonly number[]): Tensor {
    this.taken.add(name);
    return this.source.takeRows(this.inFile(name), shape, rows);
  }

  takeFloat32(name: string, shape: readonly number[]): Float32Array {
    this.taken.add(name);
    return this.source.takeFloat32(this.inFile(name), shape);
  }

  note(name: string): void {
    this.taken.add(name);
    this.source.note(this.inFile(name));
  }

  /** Says that the tensors of a module are known and not needed, or taken later. */
  leave(module: string): void {
    this.left.push(`${module}.`);
  }

  /**
   * What is left over: parts of the file that nobody knows, under their names in the file.
   *
   * @throws {@link FramePackError} `ERR_CHECKPOINT` for scales that nobody has read, and for tensors in a part that was
   *   read: the configuration describes another network than the file holds.
   */
  leftOver(): readonly string[] {
    const unread = this.names().filter((name) => !this.isAccountedFor(name));
    const scales = [
      ...unread.filter(isScaleName).map((name) => this.inFile(name)),
      ...this.orphans(),
    ];
    if (scales.length > 0) {
      throw fault(
        `scale ${list(scales)} expected to be read, got a weight that does not use it: the ${this.rules.network} would be wrong`,
        { tensors: scales },
      );
    }
    const parts = new Set([...this.taken].map(partOf));
    const surplus = unread
      .filter((name) => parts.has(partOf(name)))
      .map((name) => this.inFile(name));
    if (surplus.length > 0) {
      throw fault(
        `the ${this.rules.network} expected no tensors besides those its config.json asks for, got ${list(surplus)}`,
        { tensors: surplus },
      );
    }
    return unread.map((name) => this.inFile(name));
  }

  private isAccountedFor(name: string): boolean {
    return (
      this.taken.has(name) ||
      this.left.some((module) => name.startsWith(module)) ||
      FP8_MARKERS.test(name) ||
      (this.rules.unneeded ?? []).some((pattern) => pattern.test(name))
    );
  }

  /** Scales outside the prefix that stand beside no weight there: they can only be meant for this network. */
  private orphans(): string[] {
    if (this.prefix === '') return [];
    const outside = new Set(this.source.names().filter((name) => !name.startsWith(this.prefix)));
    return [...outside].filter(
      (name) =>
        isScaleName(name) &&
        !FP8_MARKERS.test(name) &&
        !(this.rules.unneeded ?? []).some((pattern) => pattern.test(name)) &&
        !outside.has(name.replace(/[^.]*$/, 'weight')),
    );
  }

  private inFile(name: string): string {
    return this.stored.get(name) ?? `${this.prefix}${name}`;
  }
}

function namesBelow(
  source: TensorSource,
  prefix: string,
  { renames = [] }: NetworkNames,
): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const stored of source.names()) {
    if (!stored.startsWith(prefix)) continue;
    const name = renames.reduce(
      (text, [pattern, replacement]) => text.replace(pattern, replacement),
      stored.slice(prefix.length),
    );
    const other = names.get(name);
    if (other !== undefined)
      throw fault(`tensor ${name} expected once, got ${other} and ${stored}`);
    names.set(name, stored);
  }
  return names;
}

/** Whether a linear layer's weight is stored as the 1 x 1 x 1 convolution that it equals. */
function isPointwise(found: readonly number[], shape: readonly number[]): boolean {
  return (
    shape.length === 2 &&
    found.length > 2 &&
    found.every((extent, axis) => extent === (shape[axis] ?? 1))
  );
}

function partOf(name: string): string {
  return name.split('.', 1)[0]!;
}

function noNetwork(source: TensorSource, root: string, rules: NetworkNames): FramePackError {
  const names = source.names();
  const prefixes = rules.prefixes.filter((prefix) => prefix !== '').join(', ');
  return fault(
    `the ${rules.network} expected tensor ${root}${rules.anchor}, or that behind ${prefixes}, got none among ` +
      `${names.length}: ${list(names.slice(0, LISTED_NAMES))}`,
    { tensor: rules.anchor },
  );
}

function list(names: readonly string[]): string {
  const more = names.length > LISTED_NAMES ? ` and ${names.length - LISTED_NAMES} more` : '';
  return `${names.slice(0, LISTED_NAMES).join(', ')}${more}`;
}

function fault(text: string, details: Readonly<Record<string, unknown>> = {}): FramePackError {
  return new FramePackError('ERR_CHECKPOINT', `checkpoint: ${text}`, details);
}
