// Elementwise operations, reductions, copies and the fp8 quantiser against their oracles.
#include "../../../kernels/copy/copy_ref.h"
#include "../../../kernels/elementwise/elementwise_ref.h"
#include "../../../kernels/reduce/reduce_ref.h"
#include "../copy.h"
#include "../elementwise.h"
#include "../reduce.h"
#include "against_oracle.h"

namespace framepack::cpu::test {
namespace {

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

}  // namespace
}  // namespace framepack::cpu::test

int main() {
  using namespace framepack::cpu::test;
  return run_levels({test_elementwise, test_reduce, test_copy, test_quantize}, 150);
}
