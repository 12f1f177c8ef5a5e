// The light operation families against their oracles on random shapes, types and strides, at every
// instruction set of this machine. A second run with another number of threads must give the same
// bits, and bytes outside the output must keep their values.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <random>
#include <vector>

#include "../../../kernels/copy/copy_ref.h"
#include "../../../kernels/elementwise/elementwise_ref.h"
#include "../../../kernels/gather/gather_ref.h"
#include "../../../kernels/norm/norm_ref.h"
#include "../../../kernels/reduce/reduce_ref.h"
#include "../../../kernels/rope/rope_ref.h"
#include "../../core/dtype.h"
#include "../copy.h"
#include "../cpu_context.h"
#include "../elementwise.h"
#include "../gather.h"
#include "../norm.h"
#include "../reduce.h"
#include "../rope.h"

namespace framepack::cpu {
namespace {

constexpr DType kFloats[] = {DType::kF32, DType::kF16, DType::kBf16};
constexpr int kGuard = 64;  // elements kept free behind every buffer

int failures = 0;
std::mt19937 random_bits(20240);

long long pick(std::initializer_list<long long> choices) {
  return choices.begin()[random_bits() % choices.size()];
}
DType pick_float() { return kFloats[random_bits() % 3]; }
long long extent() { return pick({1, 2, 3, 5, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 100, 129}); }
bool coin() { return random_bits() % 2 == 0; }

class Buffer {
 public:
  Buffer(DType dtype, long long count, double mean = 0)
      : dtype_(dtype), bytes_(static_cast<size_t>((count + kGuard) * size_of(dtype))) {
    std::normal_distribution<double> normal(mean, 1);
    for (long long i = 0; i < count; ++i)
      store_f32(bytes_.data(), dtype, i, static_cast<float>(normal(random_bits)));
  }
  void* data() { return bytes_.data(); }
  long long count() const { return static_cast<long long>(bytes_.size()) / size_of(dtype_); }
  float operator[](long long i) const { return load_f32(bytes_.data(), dtype_, i); }
  DType dtype() const { return dtype_; }
  bool operator==(const Buffer& other) const { return bytes_ == other.bytes_; }

 private:
  DType dtype_;
  std::vector<char> bytes_;
};

struct Contexts {
  ThreadPool one{1}, three{3};
  Scratch one_scratch{1}, three_scratch{3};
  IsaLevel level = IsaLevel::kScalar;
};

// Runs `operation(args, context)` into out, again into a copy with three threads, and the oracle
// into a third copy. Errors are relative to the largest expected magnitude.
template <class Args, class Operation, class Oracle>
void check(Contexts& contexts, const char* name, Args args, Buffer& out, void* Args::* field,
           double tolerance, Operation operation, Oracle oracle) {
  Buffer threaded = out, expected = out;
  const isa::VectorTable* vector = vector_table(contexts.level);
  args.*field = out.data();
  operation(args, CpuContext{contexts.one, contexts.one_scratch, nullptr, vector, contexts.level});
  args.*field = threaded.data();
  operation(args,
            CpuContext{contexts.three, contexts.three_scratch, nullptr, vector, contexts.level});
  args.*field = expected.data();
  oracle(args);
  double largest = 1e-30, worst = 0;
  for (long long i = 0; i < out.count(); ++i) {
    if (std::isnan(out[i]) != std::isnan(expected[i])) worst = INFINITY;
    if (std::isnan(out[i])) continue;
    largest = std::max(largest, static_cast<double>(std::abs(expected[i])));
    worst = std::max(worst, static_cast<double>(std::abs(out[i] - expected[i])));
  }
  const double rounding = out.dtype() == DType::kBf16     ? 0x1p-8
                          : out.dtype() == DType::kF16    ? 0x1p-11
                          : out.dtype() == DType::kF8E4M3 ? 0x1p-4
                                                          : 0;
  const bool is_exact = tolerance == 0;
  const bool holds = is_exact ? out == expected : worst <= (tolerance + rounding) * largest;
  if (holds && out == threaded) return;
  if (++failures < 20)
    std::printf("%s %s: error %.3g of %.3g%s, threads %s\n", name_of(contexts.level), name, worst,
                largest, is_exact ? " (must be exact)" : "", out == threaded ? "agree" : "differ");
}

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

// Row-major strides of a random order of axes, with gaps; returns the elements covered.
long long random_strides(long long rank, const long long* shape, bool broadcasts,
                         long long* stride) {
  std::vector<int> order(static_cast<size_t>(rank));
  for (int i = 0; i < rank; ++i) order[i] = i;
  if (coin()) std::shuffle(order.begin(), order.end(), random_bits);
  long long next = pick({1, 1, 2}), last = 0;
  for (long long i = rank - 1; i >= 0; --i) {
    const int axis = order[i];
    stride[axis] = broadcasts && random_bits() % 3 == 0 ? 0 : next;
    if (stride[axis] != 0) next *= shape[axis] + (random_bits() % 4 == 0 ? 1 : 0);
    last += stride[axis] * std::max(0LL, shape[axis] - 1);
  }
  return last + 1;
}

void random_shape(long long& rank, long long* shape) {
  rank = static_cast<long long>(random_bits() % 7);
  long long room = 60000;
  for (long long axis = 0; axis < rank; ++axis) {
    shape[axis] = std::min(extent(), std::max(1LL, room));
    room /= shape[axis];
  }
  if (rank > 0 && random_bits() % 20 == 0) shape[random_bits() % rank] = 0;
}

void test_elementwise(Contexts& contexts) {
  ElementwiseArgs args{};
  random_shape(args.rank, args.shape);
  args.op = static_cast<ElementwiseOp>(random_bits() % 11);
  args.alpha = -0.75f;
  args.beta = 0.5f;
  args.a_dtype = pick_float();
  args.b_dtype = pick_float();
  args.c_dtype = pick_float();
  args.out_dtype = pick_float();
  Buffer a(args.a_dtype, random_strides(args.rank, args.shape, true, args.a_stride));
  Buffer b(args.b_dtype, random_strides(args.rank, args.shape, true, args.b_stride), 5);
  Buffer c(args.c_dtype, random_strides(args.rank, args.shape, true, args.c_stride));
  Buffer out(args.out_dtype, random_strides(args.rank, args.shape, false, args.out_stride));
  args.a = a.data();
  if (args.op <= ElementwiseOp::kLerp) args.b = b.data();
  if (args.op == ElementwiseOp::kLerp) args.c = c.data();
  check(contexts, "elementwise", args, out, &ElementwiseArgs::out, 1e-6, elementwise,
        oracle::elementwise);
}

void test_reduce(Contexts& contexts) {
  ReduceArgs args{};
  args.outer = pick({0, 1, 2, 5, 33});
  args.axis = pick({1, 2, 63, 64, 65, 255, 257, 2049, 20000});
  args.inner = args.axis > 1000 ? pick({1, 1, 3}) : pick({1, 2, 17, 64, 300});
  args.op = static_cast<ReduceOp>(random_bits() % 6);
  args.dtype = pick_float();
  args.out_dtype = args.op == ReduceOp::kCountNonFinite ? DType::kF32 : pick_float();
  const long long count = args.outer * args.axis * args.inner;
  Buffer x(args.dtype, count, 3), y(args.dtype, count);
  if (args.op == ReduceOp::kCountNonFinite)
    for (long long i = 0; i < count; i += 37)
      store_f32(x.data(), args.dtype, i, i % 2 ? INFINITY : NAN);
  args.x = x.data();
  if (args.op == ReduceOp::kAbsMean && coin()) args.y = y.data();
  Buffer out(args.out_dtype, args.outer * args.inner);
  check(contexts, "reduce", args, out, &ReduceArgs::out, 1e-6, reduce, oracle::reduce);
}

void test_copy(Contexts& contexts) {
  CopyArgs args{};
  random_shape(args.rank, args.shape);
  args.x_dtype = static_cast<DType>(random_bits() % 6);
  args.out_dtype = coin() ? args.x_dtype : static_cast<DType>(random_bits() % 6);
  Buffer x(args.x_dtype, random_strides(args.rank, args.shape, coin(), args.x_stride), 40);
  Buffer out(args.out_dtype, random_strides(args.rank, args.shape, false, args.out_stride));
  args.x = x.data();
  check(contexts, "copy", args, out, &CopyArgs::out, 0, copy, oracle::copy);

  FillArgs fill_args{};
  fill_args.count = pick({0, 1, 17, 40000});
  fill_args.dtype = static_cast<DType>(random_bits() % 6);
  fill_args.value = 2.71828f;
  Buffer filled(fill_args.dtype, fill_args.count);
  check(contexts, "fill", fill_args, filled, &FillArgs::out, 0, fill, oracle::fill);
}

void test_quantize(Contexts& contexts) {
  QuantizeArgs args{};
  args.group_width = pick({1, 3, 64, 129, 40000});
  args.width = args.group_width * pick({1, 2, 5});
  args.rows = args.group_width > 1000 ? pick({1, 2}) : extent();
  args.dtype = pick_float();
  Buffer w(args.dtype, args.rows * args.width), q(DType::kF8E4M3, args.rows * args.width);
  if (coin()) store_f32(w.data(), args.dtype, 0, NAN);
  if (coin()) store_f32(w.data(), args.dtype, args.rows * args.width - 1, INFINITY);
  std::vector<float> scale(static_cast<size_t>(args.rows * args.width / args.group_width));
  args.w = w.data();
  args.scale = scale.data();
  check(contexts, "quantize", args, q, &QuantizeArgs::q, 0, quantize, oracle::quantize);

  DequantizeArgs back{};
  back.q = q.data();
  back.scale = scale.data();
  back.rows = args.rows;
  back.width = args.width;
  back.group_width = args.group_width;
  back.dtype = pick_float();
  Buffer out(back.dtype, args.rows * args.width);
  check(contexts, "dequantize", back, out, &DequantizeArgs::out, 0, dequantize, oracle::dequantize);
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
}  // namespace framepack::cpu

int main() {
  using namespace framepack::cpu;
  Contexts contexts;
  for (const IsaLevel level : {IsaLevel::kAvx2, IsaLevel::kAvx512}) {
    if (level > detect_isa_level()) {
      std::printf("%s: not supported here, skipped\n", name_of(level));
      continue;
    }
    contexts.level = level;
    for (int round = 0; round < 60; ++round)
      for (const auto test : {test_layer_norm, test_rms_norm, test_group_norm, test_rope,
                              test_rope_tables, test_elementwise, test_elementwise, test_reduce,
                              test_copy, test_copy, test_copy, test_quantize, test_gather})
        test(contexts);
  }
  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
