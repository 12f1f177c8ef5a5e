// out[o, i] = sum, mean, mean |x - y|, unbiased deviation, max |x|, max, min or count of elements that are
//             not finite, of x[o, axis, i] over axis
//
// Kernels    reduce_<f32|f16|bf16>   one chunk of the axis: the result, or a partial one of several
//            reduce_finish           the partial results of all chunks, in order
// Layout     [outer, axis, inner] contiguous, out [outer, inner]; partials float4 [outer, chunks, inner].
// Mapping    threads x: up to 32 columns beside each other; y: rows of the axis. A block sums
//            kReduceBlockElements elements. Rows of a contiguous axis (inner = 1) are read in 16-byte
//            pieces where their alignment allows.
// Shared     four floats per warp and column, 4 KB.
// Numerics   sums are f32 pairs (48 bits): one rounding at the end, like an f64 sum. Deviations are
//            taken around the first element of the column. Order and partition depend on shape and
//            alignment alone; no atomics. A sum whose running total leaves the range of f32 is
//            infinite.
// Cost       x (and y) are read once: bound by memory.
#include "../device/accurate.cuh"
#include "../device/convert.cuh"
#include "reduce_config.h"

namespace framepack {
namespace {

// What a thread gathers. state() fits a float4: two pair sums, or the maximum in x.
struct PlainSum {
  PairSum total;
  FP_DEVICE void add(float x, float) { total.add(x); }
  FP_DEVICE float4 state() const { return {total.sum, total.error, 0.f, 0.f}; }
};

struct DifferenceSum {
  PairSum total;
  FP_DEVICE void add(float x, float y) { total.add(fabsf(x - y)); }
  FP_DEVICE float4 state() const { return {total.sum, total.error, 0.f, 0.f}; }
};

struct NonFiniteCount {
  int count;
  FP_DEVICE void add(float x, float) { count += isfinite(x) ? 0 : 1; }
  FP_DEVICE float4 state() const { return {static_cast<float>(count), 0.f, 0.f, 0.f}; }
};

struct Largest {
  float value;
  FP_DEVICE void add(float x, float) { value = fmaxf(value, fabsf(x)); }  // ignores NaN
  FP_DEVICE float4 state() const { return {value, 0.f, 0.f, 0.f}; }
};

// The largest of the elements times sign; the first NaN stays.
struct Extreme {
  float sign, value;
  FP_DEVICE void add(float x, float) {
    const float signed_x = sign * x;
    value = signed_x > value || isnan(signed_x) ? signed_x : value;
  }
  FP_DEVICE float4 state() const { return {value, 0.f, 0.f, 0.f}; }
};

FP_DEVICE bool is_extreme(ReduceOp op) {
  return op == ReduceOp::kMaxAbs || op == ReduceOp::kMax || op == ReduceOp::kMin;
}

// The state of no elements.
FP_DEVICE float4 identity(ReduceOp op) {
  return {op == ReduceOp::kMax || op == ReduceOp::kMin ? -INFINITY : 0.f, 0.f, 0.f, 0.f};
}

struct ShiftedMoments {
  float shift;
  Moments moments;
  FP_DEVICE void add(float x, float) { moments.add(x - shift); }
  FP_DEVICE float4 state() const {
    return {moments.first.sum, moments.first.error, moments.second.sum, moments.second.error};
  }
};

FP_DEVICE float4 merge(bool is_maximum, const float4& a, const float4& b) {
  if (is_maximum) return {b.x > a.x || isnan(b.x) ? b.x : a.x, 0.f, 0.f, 0.f};
  Moments total{{a.x, a.y}, {a.z, a.w}};
  total.add(Moments{{b.x, b.y}, {b.z, b.w}});
  return {total.first.sum, total.first.error, total.second.sum, total.second.error};
}

// The result of a column from its whole state.
FP_DEVICE float finish(const ReduceArgs& args, const float4& state) {
  const float count = static_cast<float>(args.axis);
  const Moments total{{state.x, state.y}, {state.z, state.w}};
  switch (args.op) {
    case ReduceOp::kMean:
    case ReduceOp::kAbsMean: return total.first.divided_by(count).value();
    case ReduceOp::kStd: return sqrtf(total.squares_around_mean(count) / (count - 1.f));
    case ReduceOp::kMaxAbs:
    case ReduceOp::kMax: return state.x;
    case ReduceOp::kMin: return -state.x;
    default: return total.first.value();
  }
}

struct Column {
  long long outer, inner;
  bool exists;
};

FP_DEVICE Column block_column(const ReduceArgs& args) {
  const long long tiles = (args.inner + blockDim.x - 1) / blockDim.x;
  const long long outer = blockIdx.x / tiles;
  const long long inner = (blockIdx.x - outer * tiles) * blockDim.x + threadIdx.x;
  return {outer, inner, inner < args.inner};
}

FP_DEVICE long long chunk_rows() { return kReduceBlockElements / blockDim.x; }

// The states of all warps by component, so that lanes beside each other use banks beside each other.
struct ReduceSlots {
  float part[4][kReduceThreads / 32][kReduceMaxColumns];

  FP_DEVICE void store(int warp, int lane, const float4& state) {
    part[0][warp][lane] = state.x, part[1][warp][lane] = state.y;
    part[2][warp][lane] = state.z, part[3][warp][lane] = state.w;
  }
  FP_DEVICE float4 load(int warp, int lane) const {
    return {part[0][warp][lane], part[1][warp][lane], part[2][warp][lane], part[3][warp][lane]};
  }
};

// Over the threads of one column; the result is that of threads y = 0.
FP_DEVICE float4 block_merge(bool is_maximum, float4 state) {
  __shared__ ReduceSlots slots;
  const int columns = blockDim.x, thread = threadIdx.y * columns + threadIdx.x;
  const int warp = thread / 32, lane = thread % 32;
  for (int distance = 16; distance >= columns; distance /= 2) {
    state = merge(is_maximum, state,
                  {__shfl_xor_sync(kAllLanes, state.x, distance),
                   __shfl_xor_sync(kAllLanes, state.y, distance),
                   __shfl_xor_sync(kAllLanes, state.z, distance),
                   __shfl_xor_sync(kAllLanes, state.w, distance)});
  }
  if (lane < columns) slots.store(warp, lane, state);
  __syncthreads();
  if (thread >= columns) return state;
  state = slots.load(0, lane);
  for (int other = 1; other < kReduceThreads / 32; ++other) {
    state = merge(is_maximum, state, slots.load(other, lane));
  }
  return state;
}

// Adds rows [begin, end) of the column of this thread.
template <class Element, class Gather>
FP_DEVICE void gather_rows(const ReduceArgs& args, const Column& column, long long begin,
                           long long end, Gather& gather) {
  constexpr int kCount = kVectorCount<Element>;
  const long long first = column.outer * args.axis * args.inner + column.inner;
  const auto is_aligned = [&](const void* data) {
    const char* start = static_cast<const char*>(data) + (first + begin) * Element::kBytes;
    return reinterpret_cast<uintptr_t>(start) % 16 == 0;
  };
  if (args.inner == 1 && is_aligned(args.x) && (!args.y || is_aligned(args.y))) {
    const long long pieces = (end - begin) / kCount;
    const auto piece_of = [&](const void* data, long long piece) {
      const char* start = static_cast<const char*>(data) + (first + begin) * Element::kBytes;
      return reinterpret_cast<const uint4*>(start)[piece];
    };
#pragma unroll 2
    for (long long piece = threadIdx.y; piece < pieces; piece += kReduceThreads) {
      float x[kCount], y[kCount] = {};
      unpack_vector<Element>(x, piece_of(args.x, piece));
      if (args.y) unpack_vector<Element>(y, piece_of(args.y, piece));
#pragma unroll
      for (int i = 0; i < kCount; ++i) gather.add(x[i], y[i]);
    }
    begin += pieces * kCount;
  }
#pragma unroll 4
  for (long long row = begin + threadIdx.y; row < end; row += blockDim.y) {
    const long long at = first + row * args.inner;
    const float y = args.y ? load_element(args.y, Element::kDType, at) : 0.f;
    gather.add(load_element(args.x, Element::kDType, at), y);
  }
}

template <class Element, class Gather>
FP_DEVICE float4 gather_chunk(const ReduceArgs& args, const Column& column, Gather gather) {
  const long long begin = blockIdx.y * chunk_rows(), end = min(args.axis, begin + chunk_rows());
  if (column.exists) gather_rows<Element>(args, column, begin, end, gather);
  return gather.state();
}

template <class Element>
FP_DEVICE float4 gather(const ReduceArgs& args, const Column& column) {
  switch (args.op) {
    case ReduceOp::kAbsMean: return gather_chunk<Element>(args, column, DifferenceSum{});
    case ReduceOp::kMaxAbs: return gather_chunk<Element>(args, column, Largest{});
    case ReduceOp::kMax: return gather_chunk<Element>(args, column, Extreme{1.f, -INFINITY});
    case ReduceOp::kMin: return gather_chunk<Element>(args, column, Extreme{-1.f, -INFINITY});
    case ReduceOp::kCountNonFinite: return gather_chunk<Element>(args, column, NonFiniteCount{});
    case ReduceOp::kStd: {
      const long long first = column.outer * args.axis * args.inner + column.inner;
      const bool is_there = column.exists && args.axis > 0;
      const float shift = is_there ? load_element(args.x, Element::kDType, first) : 0.f;
      return gather_chunk<Element>(args, column, ShiftedMoments{shift, {}});
    }
    default: return gather_chunk<Element>(args, column, PlainSum{});
  }
}

FP_DEVICE void store_result(const ReduceArgs& args, const Column& column, const float4& state) {
  store_element(args.out, args.out_dtype, column.outer * args.inner + column.inner,
                finish(args, state));
}

template <class Element>
FP_DEVICE void reduce(const ReduceArgs& args) {
  const Column column = block_column(args);
  const float4 state = block_merge(is_extreme(args.op), gather<Element>(args, column));
  if (threadIdx.y != 0 || !column.exists) return;
  if (gridDim.y == 1) return store_result(args, column, state);
  const long long chunk = column.outer * gridDim.y + blockIdx.y;
  static_cast<float4*>(args.workspace)[chunk * args.inner + column.inner] = state;
}

FP_DEVICE void reduce_finish(const ReduceArgs& args) {
  const Column column = block_column(args);
  const bool is_maximum = is_extreme(args.op);
  const long long chunks = (args.axis + chunk_rows() - 1) / chunk_rows();
  float4 state = identity(args.op);
  if (column.exists) {
    for (long long chunk = threadIdx.y; chunk < chunks; chunk += blockDim.y) {
      const long long at = (column.outer * chunks + chunk) * args.inner + column.inner;
      state = merge(is_maximum, state, __ldg(static_cast<const float4*>(args.workspace) + at));
    }
  }
  state = block_merge(is_maximum, state);
  if (threadIdx.y == 0 && column.exists) store_result(args, column, state);
}

}  // namespace
}  // namespace framepack

// One block per multiprocessor is promised because ptxas, left to choose, spills on sm_90 to reach more.
#define REDUCE_KERNEL(name, function)                                        \
  extern "C" __global__ void __launch_bounds__(framepack::kReduceThreads, 1) \
      name(const framepack::ReduceArgs args) {                               \
    framepack::function(args);                                               \
  }

REDUCE_KERNEL(reduce_f32, reduce<framepack::F32>)
REDUCE_KERNEL(reduce_f16, reduce<framepack::F16>)
REDUCE_KERNEL(reduce_bf16, reduce<framepack::Bf16>)
REDUCE_KERNEL(reduce_finish, reduce_finish)
#undef REDUCE_KERNEL
