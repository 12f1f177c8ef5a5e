import type { DType } from '../dtype.ts';
import { dtypeOfCode } from '../dtype.ts';
import type { NativeDevice, NativeModule, NativeTensor } from '../native-types.ts';
import {
  type CallOf,
  OPERATION_NAMES,
  type Operation,
  type Work,
  workOf,
} from './operation-work.ts';

/** Operations that run at one speed: products, attention and convolutions by themselves, all others as `memory`. */
export type WorkKind = 'product' | 'attention' | 'convolution' | 'memory';

/** A kind of work in the type in which it is computed. */
export type WorkClass = `${WorkKind} ${DType}`;

/** Work by its class. */
export type WorkTally = ReadonlyMap<WorkClass, Work>;

interface KindTraits<O extends Operation> {
  readonly kind: WorkKind;
  /** What is multiplied. */
  readonly operands: (call: CallOf<O>) => readonly NativeTensor[];
}

/** Operations that arithmetic bounds; memory bounds the others. */
const PRODUCTS: { readonly [O in Operation]?: KindTraits<O> } = {
  matmul: { kind: 'product', operands: ({ a, weight }) => [a, weight] },
  patchify: { kind: 'product', operands: ({ x, weight }) => [x, weight] },
  attention: { kind: 'attention', operands: ({ q, k }) => [q, k] },
  conv3d: { kind: 'convolution', operands: ({ x, weight }) => [x, weight] },
};

const meters = new WeakMap<NativeDevice, WorkMeter>();

/**
 * Counts the work that a device is given, on `meta` as on devices that compute: every operation goes through
 * {@link metered}. A device has one meter.
 */
export class WorkMeter {
  private tally: Map<WorkClass, Work> = new Map();

  private constructor() {}

  /** The meter of a device, which counts from the first time that it is asked for. */
  static of(device: { readonly native: NativeDevice }): WorkMeter {
    const meter = meters.get(device.native) ?? new WorkMeter();
    meters.set(device.native, meter);
    return meter;
  }

  /** Counts a call. */
  add<O extends Operation>(operation: O, call: CallOf<O>): void {
    addWork(this.tally, classOf(operation, call), workOf(operation, call));
  }

  /** What was counted since the last time. */
  take(): WorkTally {
    const { tally } = this;
    this.tally = new Map();
    return tally;
  }
}

/** Adds work to a tally, so many times. */
export function addWork(
  tally: Map<WorkClass, Work>,
  name: WorkClass,
  { flops, movedBytes }: Work,
  times: number = 1,
): void {
  const sum = tally.get(name) ?? { flops: 0, movedBytes: 0 };
  tally.set(name, {
    flops: sum.flops + times * flops,
    movedBytes: sum.movedBytes + times * movedBytes,
  });
}

/** The addon, with its operations counted on the devices that have a meter. */
export function metered(module: NativeModule): NativeModule {
  const counted = Object.fromEntries(
    OPERATION_NAMES.map((name) => [name, countedOperation(module, name)]),
  );
  return { ...module, ...counted };
}

function countedOperation<O extends Operation>(module: NativeModule, name: O): NativeModule[O] {
  const run = module[name] as (device: NativeDevice, call: CallOf<O>) => void;
  const counted = (device: NativeDevice, call: CallOf<O>): void => {
    run(device, call);
    meters.get(device)?.add(name, call);
  };
  return counted as NativeModule[O];
}

function classOf<O extends Operation>(operation: O, call: CallOf<O>): WorkClass {
  const traits = PRODUCTS[operation] as KindTraits<O> | undefined;
  if (traits === undefined) return 'memory f32';
  const [left, right] = traits.operands(call).map(({ dtype }) => dtypeOfCode(dtype));
  // Products of two types run as those of f32 do, but for fp8, which is widened in passing.
  const isPure = right === left || right === 'f8e4m3';
  return `${traits.kind} ${isPure ? left! : 'f32'}`;
}
