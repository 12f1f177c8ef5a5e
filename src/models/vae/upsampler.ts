import { CausalConv3d } from '../../nn/causal-conv3d.ts';
import { conv3d } from '../../ops/conv3d.ts';
import { cast, concat } from '../../ops/copy.ts';
import { add } from '../../ops/elementwise.ts';
import { upsampleNearest } from '../../ops/gather.ts';
import type { FloatDType } from '../../tensor/dtype.ts';
import { scope } from '../../tensor/scope.ts';
import { empty, type Tensor } from '../../tensor/tensor.ts';
import type { WeightScope } from '../../weights/weight-scope.ts';

/** Growth of the axes t, h, w; the first frame is never doubled in time. */
export type UpsampleFactor = readonly [1 | 2, 2, 2];

/**
 * Nearest-neighbour upsampling followed by a causal 3 x 3 x 3 convolution.
 *
 * `polyphase` computes the same sums without the upsampled tensor: along a doubled axis, neighbouring taps read the
 * same source element, so each output phase is a convolution with two merged taps (27 taps become 8, or 12 when time
 * is not doubled). `plain` is the literal form and the oracle of the other.
 */
export class Upsampler {
  private readonly conv: CausalConv3d;
  private readonly factor: UpsampleFactor;
  private readonly method: 'polyphase' | 'plain';
  private readonly phases: readonly Phase[];

  /** @param dtype - of the merged taps. */
  constructor(
    conv: CausalConv3d,
    factor: UpsampleFactor,
    method: 'polyphase' | 'plain',
    dtype: FloatDType = 'f32',
  ) {
    this.conv = conv;
    this.factor = factor;
    this.method = method;
    this.phases = method === 'polyphase' ? polyphase(conv.weight, factor, dtype) : [];
  }

  /** Takes `conv.conv` with weight `[C, C, 3, 3, 3]`. */
  static load(
    weights: WeightScope,
    channels: number,
    options: { factor: UpsampleFactor; method: 'polyphase' | 'plain' },
  ): Upsampler {
    const shape = { inChannels: channels, outChannels: channels, kernel: 3 };
    const conv = CausalConv3d.load(weights.at('conv.conv'), shape);
    const { factor, method } = options;
    const upsampler = new Upsampler(conv, factor, method, weights.dtype ?? 'f32');
    // The phases stand in for it; its shape is still read.
    if (method === 'polyphase') conv.weight.dispose();
    return upsampler;
  }

  /** `[B, T, H, W, C]` -> `[B, T', 2 H, 2 W, C]`, T' = T or 2 T - 1. */
  forward(x: Tensor): Tensor {
    if (this.method === 'plain') {
      return scope(() => this.conv.forward(upsampleNearest(x, this.factor)));
    }
    const [batch, frames, height, width] = x.shape as [number, number, number, number, number];
    const channels = this.conv.weight.shape[0]!;
    const outFrames = this.factor[0] === 2 ? 2 * frames - 1 : frames;
    const shape = [batch, outFrames, 2 * height, 2 * width, channels];
    const out = empty(x.device, shape, x.dtype as FloatDType);
    scope(() => {
      for (const phase of this.phases) writePhase(phase, x, { out, bias: this.conv.bias });
    });
    return out;
  }
}

/** One residue class of output positions along the three axes. */
interface Phase {
  /** `[C_out, kT, kH, kW, C_in]`, merged taps. */
  readonly weight: Tensor;
  /** First output index and step along each axis. */
  readonly start: readonly [number, number, number];
  readonly step: readonly [number, number, number];
  readonly pad: readonly [number, number, number];
}

interface AxisPhase {
  readonly weight: Tensor;
  readonly start: number;
  readonly step: number;
  readonly pad: number;
}

function writePhase(phase: Phase, x: Tensor, target: { out: Tensor; bias: Tensor }): void {
  let into = target.out;
  for (const axis of [0, 1, 2] as const) {
    into = into.slice(axis + 1, phase.start[axis], undefined, phase.step[axis]);
  }
  const outExtent = into.shape.slice(1, 4) as [number, number, number];
  if (outExtent[0] === 0) return;
  conv3d(x, phase.weight, { bias: target.bias, pad: phase.pad, outExtent, into });
}

/** Taps are merged in f32 and rounded once, to the type that they are multiplied in. */
function polyphase(weight: Tensor, factor: UpsampleFactor, dtype: FloatDType): Phase[] {
  return scope(() => {
    const wide = cast(weight, 'f32');
    const phases: Phase[] = [];
    for (const t of factor[0] === 2 ? timePhases(wide) : [undoubledTime(wide)]) {
      for (const h of spacePhases(t.weight, 2)) {
        for (const w of spacePhases(h.weight, 3)) {
          phases.push({
            weight: cast(w.weight, dtype),
            start: [t.start, h.start, w.start],
            step: [t.step, h.step, w.step],
            pad: [t.pad, h.pad, w.pad],
          });
        }
      }
    }
    return phases;
  });
}

function undoubledTime(weight: Tensor): AxisPhase {
  return { weight, start: 0, step: 1, pad: 2 };
}

// Outputs 2 i read sources i - 1, i, i; outputs 2 i - 1 (i >= 1) read i - 1, i - 1, i.
function timePhases(weight: Tensor): AxisPhase[] {
  return [
    { weight: mergeTaps(weight, 1, 'last'), start: 0, step: 2, pad: 1 },
    { weight: mergeTaps(weight, 1, 'first'), start: 1, step: 2, pad: 0 },
  ];
}

// Outputs 2 i read sources i - 1, i, i; outputs 2 i + 1 read i, i, i + 1.
function spacePhases(weight: Tensor, axis: number): AxisPhase[] {
  return [
    { weight: mergeTaps(weight, axis, 'last'), start: 0, step: 2, pad: 1 },
    { weight: mergeTaps(weight, axis, 'first'), start: 1, step: 2, pad: 0 },
  ];
}

/** (a, b, c) along `axis` -> (a, b + c) for `last`, (a + b, c) for `first`. */
function mergeTaps(weight: Tensor, axis: number, which: 'first' | 'last'): Tensor {
  const [a, b, c] = [0, 1, 2].map((tap) => weight.slice(axis, tap, tap + 1)) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  return which === 'last' ? concat([a, add(b, c)], axis) : concat([add(a, b), c], axis);
}
