#include "elementwise.h"

#include "../../kernels/elementwise/elementwise_ref.h"
#include "../core/dtype.h"
#include "rows.h"
#include "strided.h"

namespace framepack::cpu {

namespace {

// Elements computed at once: three operands and the result stay in L1.
constexpr long long kBlock = 1024;

enum Operand { kA, kB, kC, kOut, kOperands };

using Loop = StridedLoop<kOperands>;

Loop loop_of(const ElementwiseArgs& args) {
  Loop loop;
  loop.append(1, {1, 1, 1, 1});
  for (long long axis = 0; axis < args.rank; ++axis)
    loop.append(args.shape[axis], {args.a_stride[axis], args.b ? args.b_stride[axis] : 0,
                                   args.c ? args.c_stride[axis] : 0, args.out_stride[axis]});
  return loop;
}

// count elements of one operand as f32.
const float* gather(const isa::VectorTable& vector, const void* data, DType dtype, long long index,
                    long long stride, long long count, float* room) {
  if (!data) return nullptr;
  if (stride == 1 && is_float(dtype)) return as_f32(vector, data, dtype, index, count, room);
  if (stride == 0) {
    std::fill_n(room, count, load_f32(data, dtype, index));
  } else {
    for (long long i = 0; i < count; ++i) room[i] = load_f32(data, dtype, index + i * stride);
  }
  return room;
}

struct Block {
  long long offset[kOperands];
  long long stride[kOperands];
  long long count;
};

void compute(const ElementwiseArgs& args, const isa::VectorTable& vector, const Block& block) {
  alignas(64) float room[kOperands][kBlock];
  const float* a = gather(vector, args.a, args.a_dtype, block.offset[kA], block.stride[kA],
                          block.count, room[kA]);
  const float* b = gather(vector, args.b, args.b_dtype, block.offset[kB], block.stride[kB],
                          block.count, room[kB]);
  const float* c = gather(vector, args.c, args.c_dtype, block.offset[kC], block.stride[kC],
                          block.count, room[kC]);
  const long long to = block.offset[kOut], stride = block.stride[kOut];
  const bool is_row = stride == 1 && is_float(args.out_dtype);
  float* out = is_row ? f32_target(args.out, args.out_dtype, to, room[kOut]) : room[kOut];
  vector.elementwise(args.op, a, b, c, out, block.count, args.alpha, args.beta);
  if (is_row) {
    finish_row(vector, out, args.out, args.out_dtype, to, block.count);
  } else {
    for (long long i = 0; i < block.count; ++i)
      store_f32(args.out, args.out_dtype, to + i * stride, out[i]);
  }
}

}  // namespace

void elementwise(const ElementwiseArgs& args, const CpuContext& context) {
  if (!context.vector) return oracle::elementwise(args);
  const Loop loop = loop_of(args);
  const long long inner = loop.inner();
  if (inner == 0) return;
  const long long blocks = ceil_div(inner, kBlock);
  const long long grain = std::max(1LL, kGrain / std::min(inner, kBlock));
  const auto body = [&](long long begin, long long end, int) {
    for (long long index = begin; index < end; ++index) {
      const long long first = index % blocks * kBlock;
      Block block;
      loop.locate(index / blocks, block.offset);
      for (int o = 0; o < kOperands; ++o) {
        block.stride[o] = loop.stride[o][loop.rank - 1];
        block.offset[o] += first * block.stride[o];
      }
      block.count = std::min(kBlock, inner - first);
      compute(args, *context.vector, block);
    }
  };
  parallel_ranges(context.pool, loop.outer() * blocks, grain, body);
}

}  // namespace framepack::cpu
