/**
 * Layers that take their weights from a checkpoint.
 *
 * @module framepack-node/nn
 */
export { type ProjectionNames, SelfAttention, type SelfAttentionShape } from '../nn/attention.ts';
export { type BlockState, type BlockStep, type Pace, runChain } from '../nn/block-chain.ts';
export { CausalConv3d, type CausalConv3dShape } from '../nn/causal-conv3d.ts';
export { EncoderLayer, type EncoderLayerShape } from '../nn/encoder-layer.ts';
export { Linear, type LinearShape } from '../nn/linear.ts';
export { Mlp, type MlpShape } from '../nn/mlp.ts';
export { GroupNorm, LayerNorm, RmsNorm } from '../nn/norm.ts';
export { timestepEmbedding } from '../nn/timestep-embedding.ts';
export { Checkpoint, type CheckpointOptions } from '../weights/checkpoint.ts';
export type { TensorEntry } from '../weights/files/safetensors-header.ts';
export type { NetworkNames } from '../weights/network-names.ts';
export type { NetworkTensors } from '../weights/network-tensors.ts';
export type { TensorSource } from '../weights/tensor-source.ts';
export { type NetworkScope, type WeightEdits, WeightScope } from '../weights/weight-scope.ts';
