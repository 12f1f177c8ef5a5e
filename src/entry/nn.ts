/** `framepack-node/nn`: layers that take their weights from a checkpoint. */
export { SelfAttention } from '../nn/attention.ts';
export { type BlockStep, type Pace, runChain } from '../nn/block-chain.ts';
export { CausalConv3d } from '../nn/causal-conv3d.ts';
export { EncoderLayer } from '../nn/encoder-layer.ts';
export { Linear } from '../nn/linear.ts';
export { Mlp } from '../nn/mlp.ts';
export { GroupNorm, LayerNorm, RmsNorm } from '../nn/norm.ts';
export { timestepEmbedding } from '../nn/timestep-embedding.ts';
export { Checkpoint } from '../weights/checkpoint.ts';
export { WeightScope } from '../weights/weight-scope.ts';
