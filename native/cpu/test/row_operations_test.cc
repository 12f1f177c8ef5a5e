// Norms, rotary embedding and gathers against their oracles.
#include "../../../kernels/gather/gather_ref.h"
#include "../../../kernels/norm/norm_ref.h"
#include "../../../kernels/rope/rope_ref.h"
#include "../gather.h"
#include "../norm.h"
#include "../rope.h"
#include "against_oracle.h"

namespace framepack::cpu::test {
namespace {

void test_layer_norm(Contexts& contexts) {
  LayerNormArgs args{};
  args.rows = extent() * pick({1, 1, 4});
  args.width = extent() * pick({1, 1, 30});
  args.x_row_stride = args.width + pick({0, 3});
  args.rows_per_modulation = pick({1, args.rows, 2});
  args.modulation_row_stride = args.width + pick({0, 1});
  args.eps = 1e-6f;
  args.dtype = pick_float();
  args.affine_dtype = pick_float();
  args.modulation_dtype = pick_float();
  Buffer x(args.dtype, args.rows * args.x_row_stride, static_cast<double>(pick({0, 50})));
  Buffer weight(args.affine_dtype, args.width), bias(args.affine_dtype, args.width);
  const long long modulations =
      (args.rows / args.rows_per_modulation + 1) * args.modulation_row_stride;
  Buffer scale(args.modulation_dtype, modulations), shift(args.modulation_dtype, modulations);
  args.x = x.data();
  if (coin()) args.weight = weight.data();
  if (coin()) args.bias = bias.data();
  if (coin()) args.scale = scale.data();
  if (coin()) args.shift = shift.data();
  Buffer out(args.dtype, args.rows * args.width);
  // A mean of 50 standard deviations costs its rounding to f32.
  check(contexts, "layer_norm", args, out, &LayerNormArgs::out, 3e-6, layer_norm,
        oracle::layer_norm);
}

void test_rms_norm(Contexts& contexts) {
  RmsNormArgs args{};
  args.rows = extent();
  args.width = extent() * pick({1, 40});
  args.x_row_stride = args.width + pick({0, 5});
  args.eps = 1e-6f;
  args.dtype = pick_float();
  args.weight_dtype = pick_float();
  Buffer x(args.dtype, args.rows * args.x_row_stride), weight(args.weight_dtype, args.width);
  args.x = x.data();
  args.weight = weight.data();
  Buffer out(args.dtype, args.rows * args.width);
  check(contexts, "rms_norm", args, out, &RmsNormArgs::out, 5e-7, rms_norm, oracle::rms_norm);
}

void test_group_norm(Contexts& contexts) {
  GroupNormArgs args{};
  args.batch = pick({1, 2});
  args.groups = pick({1, 2, 4, 32});
  args.channels = args.groups * pick({1, 2, 3, 4, 8, 16});
  args.positions = extent() * pick({1, 7, 40});
  args.eps = 1e-6f;
  args.silu = coin();
  args.dtype = pick_float();
  args.affine_dtype = pick_float();
  const long long count = args.batch * args.positions * args.channels;
  Buffer x(args.dtype, count, static_cast<double>(pick({0, 30})));
  Buffer weight(args.affine_dtype, args.channels), bias(args.affine_dtype, args.channels);
  args.x = x.data();
  args.weight = weight.data();
  args.bias = bias.data();
  Buffer out(args.dtype, count);
  check(contexts, "group_norm", args, out, &GroupNormArgs::out, 1e-5, group_norm,
        oracle::group_norm);
}

void test_rope(Contexts& contexts) {
  RopeArgs args{};
  args.batch = pick({1, 2});
  args.tokens = extent();
  args.heads = pick({1, 2, 3, 24});
  args.head_width = pick({2, 4, 6, 20, 64, 128, 130});
  args.table_tokens = pick({0, args.tokens / 2, args.tokens});
  const long long gap = pick({0, 3}), gap_out = pick({0, 5});
  args.x_head_stride = args.head_width + gap;
  args.x_token_stride = args.heads * args.x_head_stride + gap;
  args.x_batch_stride = args.tokens * args.x_token_stride;
  args.out_head_stride = args.head_width + gap_out;
  args.out_token_stride = args.heads * args.out_head_stride;
  args.out_batch_stride = args.tokens * args.out_token_stride + gap_out;
  args.eps = 1e-6f;
  args.layout = coin() ? RopeLayout::kInterleaved : RopeLayout::kHalfSplit;
  args.dtype = pick_float();
  args.weight_dtype = pick_float();
  const long long entries = args.table_tokens * args.head_width / 2;
  Buffer x(args.dtype, args.batch * args.x_batch_stride),
      weight(args.weight_dtype, args.head_width);
  Buffer cos(DType::kF32, entries), sin(DType::kF32, entries);
  args.x = x.data();
  if (coin()) args.weight = weight.data();
  args.cos = static_cast<const float*>(cos.data());
  args.sin = static_cast<const float*>(sin.data());
  Buffer out(args.dtype, args.batch * args.out_batch_stride);
  check(contexts, "rope", args, out, &RopeArgs::out, 5e-7, rope, oracle::rope);
}

// Tables go through one f32 output each, so cos and sin share a buffer.
void test_rope_tables(Contexts& contexts) {
  struct TableArgs {
    RopeTableArgs table;
    void* out;
  };
  std::vector<int> positions;
  TableArgs args{};
  args.table.frames = pick({1, 2, 3, 9});
  for (long long i = 0; i < args.table.frames; ++i)
    positions.push_back(static_cast<int>(random_bits() % 90));
  args.table.frame_positions = positions.data();
  args.table.height = pick({1, 2, 5, 34});
  args.table.width = pick({1, 3, 44});
  args.table.axis_width[0] = pick({0, 16, 128});
  args.table.axis_width[1] = args.table.axis_width[2] = pick({0, 2, 56});
  args.table.theta = coin() ? 256.0f : 500000.0f;
  const long long columns = args.table.axis_width[0] / 2 + args.table.axis_width[1];
  const long long entries = args.table.frames * args.table.height * args.table.width * columns;
  const auto with_outputs = [entries](auto function) {
    return [=](const TableArgs& pair, const auto&... context) {
      RopeTableArgs table = pair.table;
      table.cos = static_cast<float*>(pair.out);
      table.sin = table.cos + entries;
      function(table, context...);
    };
  };
  Buffer out(DType::kF32, 2 * entries);
  check(contexts, "rope_table", args, out, &TableArgs::out, 0, with_outputs(rope_table),
        with_outputs(oracle::rope_table));

  struct PoolArgs {
    RopePoolArgs pool;
    void* out;
  };
  PoolArgs pool{};
  pool.pool.cos = static_cast<const float*>(out.data());
  pool.pool.sin = pool.pool.cos + entries;
  pool.pool.frames = args.table.frames;
  pool.pool.height = args.table.height;
  pool.pool.width = args.table.width;
  pool.pool.columns = columns;
  long long cells = 1;
  const long long extents[3] = {args.table.frames, args.table.height, args.table.width};
  for (int axis = 0; axis < 3; ++axis) {
    pool.pool.pool[axis] = pick({1, 2, 4});
    cells *= (extents[axis] + pool.pool.pool[axis] - 1) / pool.pool.pool[axis];
  }
  const auto with_pooled = [cells, columns](auto function) {
    return [=](const PoolArgs& pair, const auto&... context) {
      RopePoolArgs pooled = pair.pool;
      pooled.cos_out = static_cast<float*>(pair.out);
      pooled.sin_out = pooled.cos_out + cells * columns;
      function(pooled, context...);
    };
  };
  Buffer pooled(DType::kF32, 2 * cells * columns);
  check(contexts, "rope_pool", pool, pooled, &PoolArgs::out, 0, with_pooled(rope_pool),
        with_pooled(oracle::rope_pool));
}

void test_gather(Contexts& contexts) {
  EmbeddingArgs args{};
  args.tokens = pick({0, 1, 5, 100});
  args.vocabulary = extent();
  args.width = extent() * pick({1, 10});
  args.table_dtype = pick_float();
  args.out_dtype = coin() ? args.table_dtype : pick_float();
  std::vector<int> ids;
  for (long long i = 0; i < args.tokens; ++i)
    ids.push_back(static_cast<int>(random_bits() % args.vocabulary));
  Buffer table(args.table_dtype, args.vocabulary * args.width);
  args.ids = ids.data();
  args.table = table.data();
  Buffer out(args.out_dtype, args.tokens * args.width);
  check(contexts, "embedding", args, out, &EmbeddingArgs::out, 0, embedding, oracle::embedding);

  UpsampleArgs up{};
  up.batch = pick({1, 2});
  up.channels = pick({1, 3, 16, 33});
  const long long extents[3] = {pick({1, 2, 3}), pick({1, 5, 8}), pick({1, 4, 7})};
  const long long factors[3] = {pick({1, 2}), pick({1, 2, 3}), pick({1, 2})};
  std::copy_n(extents, 3, up.extent);
  std::copy_n(factors, 3, up.factor);
  up.dtype = pick_float();
  const long long pixels = up.batch * up.extent[0] * up.extent[1] * up.extent[2];
  Buffer x(up.dtype, pixels * up.channels);
  up.x = x.data();
  Buffer upsampled(up.dtype, pixels * 2 * up.factor[1] * up.factor[2] * up.channels);
  check(contexts, "upsample", up, upsampled, &UpsampleArgs::out, 0, upsample, oracle::upsample);
}

}  // namespace
}  // namespace framepack::cpu::test

int main() {
  using namespace framepack::cpu::test;
  return run_levels(
      {test_layer_norm, test_rms_norm, test_group_norm, test_rope, test_rope_tables, test_gather},
      60);
}
