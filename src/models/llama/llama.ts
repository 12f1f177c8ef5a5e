/**
 * Llama as a text encoder: one hidden state of the residual stream, no language-model head, no key-value cache.
 *
 * Agrees numerically with transformers 4.46 `LlamaModel` (modeling_llama.py). Only real tokens are run: with right
 * padding and causal attention the padding cannot reach them.
 */
import { FramePackError } from '../../errors.ts';
import { mergeHeads, splitHeads } from '../../nn/attention.ts';
import { type BlockStep, type Pace, runChain } from '../../nn/block-chain.ts';
import { BlockStream } from '../../nn/block-stream.ts';
import { Linear } from '../../nn/linear.ts';
import { RmsNorm } from '../../nn/norm.ts';
import { attention } from '../../ops/attention.ts';
import { cast } from '../../ops/copy.ts';
import { mul } from '../../ops/elementwise.ts';
import { type RopeTable, rope, ropeTable } from '../../ops/rope.ts';
import type { FloatDType } from '../../tensor/dtype.ts';
import { scope } from '../../tensor/scope.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { LLAMA_NAMES } from '../../weights/network-names.ts';
import type { WeightScope } from '../../weights/weight-scope.ts';
import type { LlamaConfig } from './config.ts';

/** Which hidden state is wanted and in which dtype the activations are kept. */
export interface LlamaOptions {
  /**
   * Index into the tuple of hidden states as transformers counts them: 0 is the embedding, k the stream after k
   * layers, the last the final-normed output; negative counts from the end. FramePack uses -3. Layers behind the
   * wanted state are neither loaded nor run.
   */
  readonly hiddenLayer: number;
  readonly dtype: FloatDType;
  /**
   * How many layers to take at once, all of them unless given. Of the others two at a time are taken while
   * {@link Llama.forward} passes through them, and tensors in them that nobody knows are not looked for.
   */
  readonly numResident?: number | undefined;
}

/** Receives named intermediate values; they are freed when the forward pass returns. */
export type LlamaTap = (name: string, value: Tensor) => void;

/** See the file header. Valid inside the memory scope in which it was loaded. */
export class Llama {
  /** Tensors of the file that nobody knows; see `NetworkTensors.leftOver`. */
  readonly leftOver: readonly string[];
  private readonly config: LlamaConfig;
  /** `[L, D]` of token ids. */
  private readonly rowsOf: (ids: readonly number[]) => Tensor;
  private readonly layers: BlockStream<LlamaLayer>;
  private readonly norm: RmsNorm | null;
  private readonly dtype: FloatDType;

  private constructor(parts: {
    config: LlamaConfig;
    rowsOf: (ids: readonly number[]) => Tensor;
    layers: BlockStream<LlamaLayer>;
    norm: RmsNorm | null;
    dtype: FloatDType;
    leftOver: readonly string[];
  }) {
    this.leftOver = parts.leftOver;
    this.config = parts.config;
    this.rowsOf = parts.rowsOf;
    this.layers = parts.layers;
    this.norm = parts.norm;
    this.dtype = parts.dtype;
  }

  /**
   * Takes the needed `layers.N.*` and, for the last state only, `norm`. Of `embed_tokens`, a gigabyte of which a prompt
   * needs a thousandth, the rows of the tokens are read when they are run.
   *
   * @throws {@link FramePackError} `ERR_ARGUMENT` for a hidden layer that the network does not have.
   */
  static load(weights: WeightScope, config: LlamaConfig, options: LlamaOptions): Llama {
    const wanted = stateIndex(options.hiddenLayer, config.numLayers);
    const root = weights.network(LLAMA_NAMES, options.dtype);
    const paths = Array.from({ length: wanted }, (_, index) => `layers.${index}`);
    const layers = BlockStream.load(
      paths.map((path) => () => LlamaLayer.load(root.at(path), config)),
      options.numResident,
    );
    if (options.numResident !== undefined) for (const path of paths) root.leave(path);
    const rowsOf = (ids: readonly number[]): Tensor =>
      root.takeRows('embed_tokens.weight', [config.vocabularySize, config.hiddenSize], ids);
    // No rows, but the table and its scales are checked, and counted as taken.
    rowsOf([]).dispose();
    const isLast = wanted === config.numLayers;
    for (let behind = wanted; behind < config.numLayers; behind++) root.leave(`layers.${behind}`);
    if (!isLast) root.leave('norm');
    // A layer index counts from the end: a file with fewer layers would give another state.
    root.expect(`layers.${config.numLayers - 1}.input_layernorm.weight`);
    return new Llama({
      config,
      rowsOf,
      layers,
      norm: isLast ? RmsNorm.load(root.at('norm'), config.hiddenSize, config.rmsNormEps) : null,
      dtype: options.dtype,
      leftOver: root.leftOver(),
    });
  }

  /**
   * Runs the tokens at positions 0, 1, 2, ...
   *
   * @param ids - token ids, BOS included, without padding.
   * @returns `[1, L, D]`, the wanted hidden state.
   */
  async forward(
    ids: readonly number[],
    options: { tap?: LlamaTap; pace?: Pace } = {},
  ): Promise<Tensor> {
    return scope(async () => {
      const { hiddenSize, headWidth, ropeTheta } = this.config;
      const embedded = scope(() => cast(this.rowsOf(ids), this.dtype)).reshape([1, -1, hiddenSize]);
      const table = ropeTable(embedded.device, {
        framePositions: ids.map((_, position) => position),
        height: 1,
        width: 1,
        axisWidths: [headWidth, 0, 0],
        theta: ropeTheta,
      });
      options.tap?.('hidden_states.0', embedded);
      using walk = this.layers.walk();
      const step: BlockStep<{ x: Tensor }> = (state, index) => {
        const x = walk.at(index).forward(state.x, table);
        const isFinal = this.norm !== null && index === this.layers.length - 1;
        if (!isFinal) options.tap?.(`hidden_states.${index + 1}`, x);
        return { x };
      };
      const steps = Array<typeof step>(this.layers.length).fill(step);
      const { x } = await runChain({ x: embedded }, steps, options.pace);
      return this.norm === null ? x : this.norm.forward(x);
    });
  }
}

/** Index into the tuple of hidden states, from either end. */
function stateIndex(hiddenLayer: number, numLayers: number): number {
  const index = hiddenLayer < 0 ? numLayers + 1 + hiddenLayer : hiddenLayer;
  if (Number.isInteger(index) && index >= 0 && index <= numLayers) return index;
  throw new FramePackError(
    'ERR_ARGUMENT',
    `Llama.load: hiddenLayer expected a whole number in [${-numLayers - 1}, ${numLayers}], got ${hiddenLayer}`,
    { hiddenLayer, numLayers },
  );
}

/** One decoder layer: grouped-query attention with half-split rotary phases, then a gated MLP. */
class LlamaLayer {
  private readonly inputNorm: RmsNorm;
  private readonly postAttentionNorm: RmsNorm;
  private readonly projections: Readonly<Record<LlamaProjection, Linear>>;
  private readonly headWidth: number;

  private constructor(
    norms: { input: RmsNorm; postAttention: RmsNorm },
    projections: Readonly<Record<LlamaProjection, Linear>>,
    headWidth: number,
  ) {
    this.inputNorm = norms.input;
    this.postAttentionNorm = norms.postAttention;
    this.projections = projections;
    this.headWidth = headWidth;
  }

  static load(weights: WeightScope, config: LlamaConfig): LlamaLayer {
    const { hiddenSize, intermediateSize, numHeads, numKvHeads, headWidth, rmsNormEps } = config;
    const linear = (name: string, inFeatures: number, outFeatures: number): Linear =>
      Linear.load(weights.at(name), { inFeatures, outFeatures, hasBias: false });
    const norm = (name: string): RmsNorm => RmsNorm.load(weights.at(name), hiddenSize, rmsNormEps);
    return new LlamaLayer(
      { input: norm('input_layernorm'), postAttention: norm('post_attention_layernorm') },
      {
        q: linear('self_attn.q_proj', hiddenSize, numHeads * headWidth),
        k: linear('self_attn.k_proj', hiddenSize, numKvHeads * headWidth),
        v: linear('self_attn.v_proj', hiddenSize, numKvHeads * headWidth),
        o: linear('self_attn.o_proj', numHeads * headWidth, hiddenSize),
        gate: linear('mlp.gate_proj', hiddenSize, intermediateSize),
        up: linear('mlp.up_proj', hiddenSize, intermediateSize),
        down: linear('mlp.down_proj', intermediateSize, hiddenSize),
      },
      headWidth,
    );
  }

  /** `[1, L, D]` -> `[1, L, D]`. */
  forward(x: Tensor, table: RopeTable): Tensor {
    return scope(() => {
      const { q, k, v, o, gate, up, down } = this.projections;
      const h = this.inputNorm.forward(x);
      const heads = (layer: Linear): Tensor => splitHeads(layer.forward(h), this.headWidth);
      const rotate = (layer: Linear): Tensor => rope(heads(layer), table, { layout: 'half-split' });
      const mixed = attention(rotate(q), rotate(k), heads(v), { mask: 'causal' });
      const attended = o.forward(mergeHeads(mixed), { residual: x });
      const normed = this.postAttentionNorm.forward(attended);
      const gated = mul(gate.forward(normed, { activation: 'silu' }), up.forward(normed));
      return down.forward(gated, { residual: attended });
    });
  }
}

type LlamaProjection = 'q' | 'k' | 'v' | 'o' | 'gate' | 'up' | 'down';
