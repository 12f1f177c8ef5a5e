// rope_table  angle = f32(position) * f32(1 / theta^(2 j / axis_width)); cos and sin of it
// rope_pool   mean of cos and of sin over windows of the grid, the last slice of every axis repeated
// rope        per-head rms-norm (optional), then (a, b) -> (a cos - b sin, b cos + a sin) for the tokens
//             that the table has
//
// Kernels    rope_table, rope_pool; rope_<f32|f16|bf16>: heads in 16-byte pieces; rope_any: the rest
// Layout     x and out [B, L, N, K] with strides, K contiguous; tables f32 [tokens, K / 2] contiguous.
// Mapping    tables: threads x along columns, y along rows. rope: threads x are the K / 8 (f32: K / 4)
//            lanes of a head, y heads of one token, z tokens. A thread keeps its cos, sin and weight
//            for all heads of its token. Interleaved pairs lie within a lane, half-split pairs in two
//            lanes that exchange them by shuffle.
// Numerics   rope_table is the one kernel with f64 arithmetic: its result is part of the model, must
//            equal the f64 oracle to the last bit, and is made once per section. Full range: the angle
//            is reduced by pi / 2 in two parts of 53 bits with fma. rope: f32, rounded once.
// Cost       rope: every element is read and written once, and 4 / N bytes of table with it: bound by
//            memory.
#include "../device/accurate.cuh"
#include "../device/convert.cuh"
#include "rope_config.h"

namespace framepack {
namespace {

// --- tables ----------------------------------------------------------------------------------------

// Both logarithm and exponential are good to about 2^-51, far beyond the f32 that they are rounded to.

FP_DEVICE double natural_log(double x) {
  constexpr double kLn2 = 0.69314718055994530942, kSqrt2 = 1.41421356237309504880;
  const long long bits = __double_as_longlong(x);
  int exponent = static_cast<int>(bits >> 52) - 1023;
  double mantissa = __longlong_as_double((bits & 0xfffffffffffffll) | 0x3ff0000000000000ll);
  if (mantissa > kSqrt2) {
    mantissa *= 0.5;
    ++exponent;
  }
  const double s = (mantissa - 1.0) / (mantissa + 1.0), square = s * s;  // |s| <= 0.172
  double series = 0.0;
#pragma unroll
  for (int k = 12; k >= 0; --k) series = fma(series, square, 1.0 / (2 * k + 1));
  return fma(static_cast<double>(exponent), kLn2, 2.0 * s * series);
}

FP_DEVICE double exponential(double x) {
  constexpr double kLog2OfE = 1.44269504088896340736;
  constexpr double kLn2High = 0.693147180369123816490, kLn2Low = 1.90821492927058770002e-10;
  const double exponent = rint(x * kLog2OfE);
  const double rest = fma(-exponent, kLn2Low, fma(-exponent, kLn2High, x));  // |rest| <= 0.347
  double series = 1.0;
#pragma unroll
  for (int k = 14; k >= 1; --k) series = fma(series * rest, 1.0 / k, 1.0);
  return series * __longlong_as_double((static_cast<long long>(exponent) + 1023) << 52);
}

struct CosSin {
  float cos, sin;
};

FP_DEVICE CosSin cos_sin(double angle) {
  constexpr double kTwoOverPi = 0.636619772367581343076;
  constexpr double kHalfPiHigh = 1.57079632679489655800, kHalfPiLow = 6.12323399573676603587e-17;
  const double turns = rint(angle * kTwoOverPi);
  const double r = fma(-turns, kHalfPiLow, fma(-turns, kHalfPiHigh, angle));  // |r| <= pi / 4
  const int quarter = static_cast<int>(turns);
  const double square = r * r;
  // Taylor series by Horner: factor k of sin is -r^2 / (2 k (2 k + 1)), of cos -r^2 / (2 k (2 k - 1)).
  double sine = 1.0, cosine = 1.0;
#pragma unroll
  for (int k = 9; k >= 1; --k) {
    sine = fma(sine * square, -1.0 / (2 * k * (2 * k + 1)), 1.0);
    cosine = fma(cosine * square, -1.0 / (2 * k * (2 * k - 1)), 1.0);
  }
  sine *= r;
  const double c = quarter & 1 ? sine : cosine, s = quarter & 1 ? cosine : sine;
  return {static_cast<float>((quarter + 1) & 2 ? -c : c), static_cast<float>(quarter & 2 ? -s : s)};
}

FP_DEVICE void rope_table(const RopeTableArgs& args) {
  const int height = static_cast<int>(args.height), width = static_cast<int>(args.width);
  const int half[3] = {static_cast<int>(args.axis_width[0]) / 2,
                       static_cast<int>(args.axis_width[1]) / 2,
                       static_cast<int>(args.axis_width[2]) / 2};
  const int columns = half[0] + half[1] + half[2];
  const long long row = static_cast<long long>(blockIdx.x) * blockDim.y + threadIdx.y;
  if (row >= args.frames * height * width) return;
  const int line = static_cast<int>(row) / width, x = static_cast<int>(row) % width;
  const int frame = args.frame_positions[line / height], y = line % height;
  const double log_theta = natural_log(args.theta);
  for (int column = threadIdx.x; column < columns; column += blockDim.x) {
    const bool is_t = column < half[0], is_y = !is_t && column < half[0] + half[1];
    const int j = is_t ? column : is_y ? column - half[0] : column - half[0] - half[1];
    const int axis_half = is_t ? half[0] : is_y ? half[1] : half[2];
    const int position = is_t ? frame : is_y ? y : x;
    const float frequency = static_cast<float>(
        exponential(-static_cast<double>(j) / static_cast<double>(axis_half) * log_theta));
    const CosSin value = cos_sin(__fmul_rn(static_cast<float>(position), frequency));
    args.cos[row * columns + column] = value.cos;
    args.sin[row * columns + column] = value.sin;
  }
}

struct PoolWindow {
  int begin[3];  // t, y, x
};

FP_DEVICE float pooled(const RopePoolArgs& args, const PoolWindow& window, const float* table,
                       int column) {
  const int last_t = static_cast<int>(args.frames) - 1, last_y = static_cast<int>(args.height) - 1;
  const int last_x = static_cast<int>(args.width) - 1;
  PairSum sum{};
  for (int i = 0; i < args.pool[0]; ++i) {
    for (int j = 0; j < args.pool[1]; ++j) {
      const long long line =
          static_cast<long long>(min(window.begin[0] + i, last_t)) * (last_y + 1) +
          min(window.begin[1] + j, last_y);
      for (int k = 0; k < args.pool[2]; ++k) {
        const long long token = line * (last_x + 1) + min(window.begin[2] + k, last_x);
        sum.add(table[token * args.columns + column]);
      }
    }
  }
  return sum.divided_by(static_cast<float>(args.pool[0] * args.pool[1] * args.pool[2])).value();
}

FP_DEVICE void rope_pool(const RopePoolArgs& args) {
  const int pool_t = static_cast<int>(args.pool[0]), pool_y = static_cast<int>(args.pool[1]);
  const int pool_x = static_cast<int>(args.pool[2]);
  const int cells_t = (static_cast<int>(args.frames) + pool_t - 1) / pool_t;
  const int cells_y = (static_cast<int>(args.height) + pool_y - 1) / pool_y;
  const int cells_x = (static_cast<int>(args.width) + pool_x - 1) / pool_x;
  const long long row = static_cast<long long>(blockIdx.x) * blockDim.y + threadIdx.y;
  if (row >= static_cast<long long>(cells_t) * cells_y * cells_x) return;
  const int line = static_cast<int>(row) / cells_x;
  const PoolWindow window = {
      {line / cells_y * pool_t, line % cells_y * pool_y, static_cast<int>(row) % cells_x * pool_x}};
  for (int column = threadIdx.x; column < args.columns; column += blockDim.x) {
    args.cos_out[row * args.columns + column] = pooled(args, window, args.cos, column);
    args.sin_out[row * args.columns + column] = pooled(args, window, args.sin, column);
  }
}

// --- rotation --------------------------------------------------------------------------------------

template <int kCount>
FP_DEVICE void load_table(float (&v)[kCount], const float* table, long long at) {
  if constexpr (kCount == 2) {
    if (reinterpret_cast<uintptr_t>(table + at) % 8 == 0) {
      const float2 two = *reinterpret_cast<const float2*>(table + at);
      v[0] = two.x, v[1] = two.y;
    } else {
      v[0] = table[at], v[1] = table[at + 1];
    }
  } else {
    load_span(v, table, DType::kF32, at, kCount);
  }
}

template <class Element, bool kInterleaved>
FP_DEVICE void rope_heads(const RopeArgs& args) {
  constexpr int kCount = kVectorCount<Element>, kColumns = kInterleaved ? kCount / 2 : kCount;
  const int lanes = blockDim.x, first = threadIdx.x * kCount, heads = static_cast<int>(args.heads);
  const int half = lanes * kCount / 2;
  const unsigned token_index = blockIdx.x * blockDim.z + threadIdx.z;
  const bool exists = token_index < args.batch * args.tokens;
  const unsigned tokens = static_cast<unsigned>(args.tokens);
  const long long batch = exists ? token_index / tokens : 0;
  const long long token = exists ? token_index % tokens : 0;
  const bool is_rotated = token < args.table_tokens;
  const bool is_upper = !kInterleaved && threadIdx.x >= lanes / 2;  // holds b of the pairs (a, b)

  float cos[kColumns], sin[kColumns], weight[kCount];
  if (is_rotated) {
    const long long at = token * half + (kInterleaved ? first / 2 : first - (is_upper ? half : 0));
    load_table(cos, args.cos, at);
    load_table(sin, args.sin, at);
  } else {
#pragma unroll
    for (int i = 0; i < kColumns; ++i) cos[i] = 1.f, sin[i] = 0.f;
  }
  if (args.weight) load_span(weight, args.weight, args.weight_dtype, first, kCount);
  const long long x_base = batch * args.x_batch_stride + token * args.x_token_stride + first;
  const long long out_base = batch * args.out_batch_stride + token * args.out_token_stride + first;

  // Every lane takes part in the shuffles of every turn.
  for (int head0 = 0; head0 < heads; head0 += blockDim.y) {
    const int head = head0 + threadIdx.y;
    const bool is_here = exists && head < heads;
    float v[kCount] = {};
    if (is_here) {
      const char* x =
          static_cast<const char*>(args.x) + (x_base + head * args.x_head_stride) * Element::kBytes;
      unpack_vector<Element>(v, *reinterpret_cast<const uint4*>(x));
    }
    if (args.weight) {
      float squares = 0.f;
#pragma unroll
      for (int i = 0; i < kCount; ++i) squares = fmaf(v[i], v[i], squares);
      for (int distance = lanes / 2; distance > 0; distance /= 2) {
        squares += __shfl_xor_sync(kAllLanes, squares, distance);
      }
      const float inverse = 1.f / sqrtf(squares / static_cast<float>(2 * half) + args.eps);
#pragma unroll
      for (int i = 0; i < kCount; ++i) v[i] *= inverse * weight[i];
    }
    if constexpr (kInterleaved) {
#pragma unroll
      for (int i = 0; i < kCount; i += 2) {
        const float a = v[i], b = v[i + 1];
        v[i] = fmaf(a, cos[i / 2], -(b * sin[i / 2]));
        v[i + 1] = fmaf(b, cos[i / 2], a * sin[i / 2]);
      }
    } else {
#pragma unroll
      for (int i = 0; i < kCount; ++i) {
        const float other = __shfl_xor_sync(kAllLanes, v[i], lanes / 2);
        v[i] = fmaf(v[i], cos[i], (is_upper ? other : -other) * sin[i]);
      }
    }
    if (is_here) {
      char* out =
          static_cast<char*>(args.out) + (out_base + head * args.out_head_stride) * Element::kBytes;
      *reinterpret_cast<uint4*>(out) = pack_vector<Element>(v);
    }
  }
}

template <class Element>
FP_DEVICE void rope(const RopeArgs& args) {
  if (args.layout == RopeLayout::kInterleaved) {
    rope_heads<Element, true>(args);
  } else {
    rope_heads<Element, false>(args);
  }
}

// One warp per head; a lane reads both elements of a pair before it writes them, so that out may be x.
FP_DEVICE void rope_any(const RopeArgs& args) {
  const long long index = static_cast<long long>(blockIdx.x) * blockDim.y + threadIdx.y;
  if (index >= args.batch * args.tokens * args.heads) return;
  const long long token_index = index / args.heads, n = index - token_index * args.heads;
  const long long batch = token_index / args.tokens, token = token_index - batch * args.tokens;
  const long long x =
      batch * args.x_batch_stride + token * args.x_token_stride + n * args.x_head_stride;
  const long long out =
      batch * args.out_batch_stride + token * args.out_token_stride + n * args.out_head_stride;
  const int width = static_cast<int>(args.head_width), half = width / 2;
  float inverse = 1.f;
  if (args.weight) {
    float squares = 0.f;
    for (int k = threadIdx.x; k < width; k += 32) {
      const float value = load_element(args.x, args.dtype, x + k);
      squares = fmaf(value, value, squares);
    }
    inverse = 1.f / sqrtf(warp_sum(squares) / static_cast<float>(width) + args.eps);
    __syncwarp();  // every lane has read before one writes
  }
  const auto load = [&](int k) {
    const float value = load_element(args.x, args.dtype, x + k);
    return args.weight ? value * (inverse * load_element(args.weight, args.weight_dtype, k))
                       : value;
  };
  const bool is_interleaved = args.layout == RopeLayout::kInterleaved;
  for (int j = threadIdx.x; j < half; j += 32) {
    const int first = is_interleaved ? 2 * j : j, second = is_interleaved ? 2 * j + 1 : j + half;
    const float a = load(first), b = load(second);
    const bool is_rotated = token < args.table_tokens;
    const float cos = is_rotated ? args.cos[token * half + j] : 1.f;
    const float sin = is_rotated ? args.sin[token * half + j] : 0.f;
    store_element(args.out, args.dtype, out + first, fmaf(a, cos, -(b * sin)));
    store_element(args.out, args.dtype, out + second, fmaf(b, cos, a * sin));
  }
}

}  // namespace
}  // namespace framepack

// One block per multiprocessor is promised because ptxas, left to choose, spills on sm_90 to reach more.
#define ROPE_KERNEL(name, Args, function)                                  \
  extern "C" __global__ void __launch_bounds__(framepack::kRopeThreads, 1) \
      name(const framepack::Args args) {                                   \
    framepack::function(args);                                             \
  }

ROPE_KERNEL(rope_table, RopeTableArgs, rope_table)
ROPE_KERNEL(rope_pool, RopePoolArgs, rope_pool)
ROPE_KERNEL(rope_f32, RopeArgs, rope<framepack::F32>)
ROPE_KERNEL(rope_f16, RopeArgs, rope<framepack::F16>)
ROPE_KERNEL(rope_bf16, RopeArgs, rope<framepack::Bf16>)
ROPE_KERNEL(rope_any, RopeArgs, rope_any)
#undef ROPE_KERNEL
