import { join } from 'node:path';
import {
  type BlockConditions,
  DoubleBlock,
  SingleBlock,
  type Streams,
} from '../../src/models/dit/blocks.ts';
import { type DitConfig, parseDitConfig } from '../../src/models/dit/config.ts';
import { concat } from '../../src/ops/copy.ts';
import { ropeTable } from '../../src/ops/rope.ts';
import type { FloatDType } from '../../src/tensor/dtype.ts';
import { scope } from '../../src/tensor/scope.ts';
import type { Tensor } from '../../src/tensor/tensor.ts';
import { Checkpoint } from '../../src/weights/checkpoint.ts';
import { openCheckpointFiles } from '../../src/weights/files/checkpoint-files.ts';
import { ModelFolder } from '../../src/weights/model-folder.ts';
import type { WeightScope } from '../../src/weights/weight-scope.ts';
import { HEAD_WIDTH } from '../harness/options.ts';
import { randomTensor } from '../harness/random-tensor.ts';
import type { SpilledTensor } from '../rivals/rival.ts';
import { SpillFolder } from '../rivals/spill.ts';
import { doubleBlockFlops, type StreamLengths, singleBlockFlops } from './dit-work.ts';
import { type StoredType, writeRandomCheckpoint } from './random-checkpoint.ts';
import { type BenchContext, isWanted, measure, type Subject } from './subject.ts';

const TEXT_TOKENS = 256;
/** Rows and columns of image tokens; time takes the rest. */
const GRID_EDGE = 16;
const DOUBLE = 'transformer_blocks.0';
const SINGLE = 'single_transformer_blocks.0';

interface Variant {
  readonly dtype: FloatDType;
  readonly weightDtype: StoredType;
}

/** Activations by stored weights. */
const VARIANTS: readonly Variant[] = [
  { dtype: 'bf16', weightDtype: 'bf16' },
  { dtype: 'f32', weightDtype: 'f32' },
  { dtype: 'f32', weightDtype: 'bf16' },
  { dtype: 'bf16', weightDtype: 'f8e4m3' },
];

/** The two kinds of block, by what they take and what they are called at the rivals. */
interface BlockKind {
  readonly name: string;
  readonly rival: string;
  readonly prefix: string;
  readonly flops: (config: DitConfig, lengths: StreamLengths) => number;
}

const KINDS: readonly BlockKind[] = [
  { name: 'double', rival: 'doubleBlock', prefix: DOUBLE, flops: doubleBlockFlops },
  { name: 'single', rival: 'singleBlock', prefix: SINGLE, flops: singleBlockFlops },
];

/** Suite `block`: the first double and the first single block of a network, by default a random one. */
export async function runBlocks(context: BenchContext): Promise<void> {
  const { checkpoint } = context.options;
  if (checkpoint !== undefined) {
    const model = await ModelFolder.open(checkpoint);
    const path = model.path('transformer');
    const config = parseDitConfig(model.readConfig('transformer'));
    for (const dtype of ['bf16', 'f32'] as const) {
      await runVariant(context, { config, path, dtype, weightDtype: storedType(path) });
    }
    return;
  }
  const config = randomConfig(context.options.width);
  for (const variant of VARIANTS) {
    if (!KINDS.some((kind) => isWanted(context, rowFacts(context, config, kind, variant))))
      continue;
    using folder = new SpillFolder();
    const path = join(folder.path, 'blocks.safetensors');
    await writeRandomCheckpoint(path, variant.weightDtype, (weights) => {
      for (const [kind, prefix] of [
        [DoubleBlock, DOUBLE],
        [SingleBlock, SINGLE],
      ] as const) {
        kind.modulations(weights.at(prefix), config);
        kind.load(weights.at(prefix), config);
      }
    });
    await runVariant(context, { config, path, ...variant });
  }
}

interface Network extends Variant {
  readonly config: DitConfig;
  readonly path: string;
}

async function runVariant(context: BenchContext, network: Network): Promise<void> {
  for (const kind of KINDS) {
    const facts = rowFacts(context, network.config, kind, network);
    if (!isWanted(context, facts)) continue;
    await scope(async () => {
      const checkpoint = await Checkpoint.open(context.device, network.path);
      const weights = checkpoint.scope(kind.prefix);
      await measure(context, subjectOf({ context, network, kind, weights, facts }));
    });
  }
}

function rowFacts(
  { options }: BenchContext,
  config: DitConfig,
  kind: BlockKind,
  { dtype, weightDtype }: Variant,
): Omit<Subject, 'run'> {
  const name = `block ${kind.name} w${config.width} t${options.tokens}`;
  return { suite: 'block', name, dtype, weightDtype };
}

interface Ingredients {
  readonly context: BenchContext;
  readonly network: Network;
  readonly kind: BlockKind;
  readonly weights: WeightScope;
  readonly facts: Omit<Subject, 'run'>;
}

function subjectOf({ context, network, kind, weights, facts }: Ingredients): Subject {
  const { device, options } = context;
  const { config, dtype } = network;
  const { width } = config;
  const lengths = { image: options.tokens, text: TEXT_TOKENS };
  const image = randomTensor(device, [1, lengths.image, width], dtype, { seed: 1 });
  const text = randomTensor(device, [1, lengths.text, width], dtype, { seed: 2 });
  const activated = randomTensor(device, [1, width], dtype, { seed: 3 });
  const frames = Math.ceil(options.tokens / GRID_EDGE ** 2);
  const whole = ropeTable(device, {
    framePositions: Array.from({ length: frames }, (_, frame) => frame),
    height: GRID_EDGE,
    width: GRID_EDGE,
    axisWidths: config.ropeAxisWidths,
    theta: config.ropeTheta,
  });
  const cos = whole.cos.slice(0, 0, options.tokens);
  const sin = whole.sin.slice(0, 0, options.tokens);
  const rope = { cos, sin };
  const joined = concat([image, text], 1);
  const run = blockCall(kind, weights, config, { image, text, joined, activated, rope });
  return {
    ...facts,
    run,
    flops: kind.flops(config, lengths),
    rival: {
      kind: kind.rival,
      options: {},
      tensors: { image, text, joined, activated, cos, sin },
      stored: storedTensors(network.path, kind.prefix),
    },
  };
}

interface Inputs extends Streams, Pick<BlockConditions, 'rope'> {
  readonly joined: Tensor;
  readonly activated: Tensor;
}

/** Both kinds return the joint sequence; joining costs a double block one copy, for us and for rivals alike. */
function blockCall(
  kind: BlockKind,
  weights: WeightScope,
  config: DitConfig,
  inputs: Inputs,
): () => Tensor {
  const { rope, activated } = inputs;
  const { modulations } = kind.name === 'single' ? SingleBlock : DoubleBlock;
  const layers = modulations(weights, config);
  const conditions = (): BlockConditions => ({
    modulation: layers.map((modulation) => modulation.forward(activated)),
    rope,
  });
  if (kind.name === 'single') {
    const block = SingleBlock.load(weights, config);
    return () => block.forward(inputs.joined, conditions());
  }
  const block = DoubleBlock.load(weights, config);
  return () => {
    const streams = block.forward(inputs, conditions());
    return concat([streams.image, streams.text], 1);
  };
}

/** Where the weights below a prefix lie. */
function storedTensors(path: string, prefix: string): Record<string, SpilledTensor> {
  const located = [...openCheckpointFiles(path)];
  return Object.fromEntries(
    located
      .filter(([name]) => name.startsWith(`${prefix}.`))
      .map(([name, { entry, file }]) => [
        name.slice(prefix.length + 1),
        {
          file: file.path,
          offset: entry.byteOffset,
          dtype: entry.dtype ?? entry.storedType,
          shape: entry.shape,
        },
      ]),
  );
}

function storedType(path: string): StoredType {
  const located = openCheckpointFiles(path).get(`${DOUBLE}.attn.to_q.weight`);
  return (located?.entry.dtype ?? 'bf16') as StoredType;
}

/** HunyuanVideo's proportions (arXiv 2412.03603 table 2) at any width. */
function randomConfig(width: number): DitConfig {
  return parseDitConfig({
    num_attention_heads: width / HEAD_WIDTH,
    attention_head_dim: HEAD_WIDTH,
    num_layers: 1,
    num_single_layers: 1,
    num_refiner_layers: 1,
    text_embed_dim: width,
    pooled_projection_dim: width,
    rope_axes_dim: [16, 56, 56],
    has_image_proj: true,
    image_proj_dim: width,
    has_clean_x_embedder: true,
  });
}
