// dequantize_<type>   out = scale * code (+ offset) of blocks of ggml
//
// Layout     blocks as GGUF files hold them, at an even address; out contiguous.
// Mapping    a thread makes 8 consecutive elements, which lie in one sub-block: one scale, one offset, 8 bytes of
//            codes (in the 4-bit types half of each).
// Numerics   f32, rounded once at the end; the same in every bit as on the host (ggml_args.h says why).
// Cost       bound by memory: 18 to 34 bytes in and 64 out for 32 elements of a 16-bit type. Codes are read in pieces
//            of 2 bytes, the alignment of a block; the 4-bit types read each of them twice, the second time from L1.
#include "../copy/exact.cuh"
#include "ggml_config.h"

namespace framepack {
namespace {

struct Bytes8 {
  uint32_t words[2];
  FP_DEVICE int at(int i) const { return words[i / 4] >> 8 * (i % 4) & 0xffu; }
};

FP_DEVICE Bytes8 load_8(const uint8_t* bytes) {
  const auto* pairs = reinterpret_cast<const uint16_t*>(bytes);
  return {{pairs[0] | static_cast<uint32_t>(pairs[1]) << 16,
           pairs[2] | static_cast<uint32_t>(pairs[3]) << 16}};
}

FP_DEVICE float half_at(const uint8_t* bytes) {
  return exact::widen_f16(*reinterpret_cast<const uint16_t*>(bytes));
}

// Q4_0, Q4_1, Q5_0, Q5_1: byte i of the codes holds elements i and i + 16.
template <bool kHasOffset, bool kHasFifthBit>
struct SmallBlock {
  FP_DEVICE static void eight(const uint8_t* block, int first, float (&out)[8]) {
    const uint8_t* fifth_bits = block + (kHasOffset ? 4 : 2);
    const Bytes8 codes = load_8(fifth_bits + (kHasFifthBit ? 4 : 0) + first % 16);
    const float scale = half_at(block), offset = kHasOffset ? half_at(block + 2) : 0.f;
    const int shift = first < 16 ? 0 : 4;
    const int fifth = kHasFifthBit ? fifth_bits[first / 8] : 0;
    constexpr int kMiddle = kHasOffset ? 0 : kHasFifthBit ? 16 : 8;
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      const int code = (codes.at(i) >> shift & 15) | (fifth >> i & 1) << 4;
      out[i] = scale * static_cast<float>(code - kMiddle);
      if constexpr (kHasOffset) out[i] += offset;
    }
  }
};

using Q4_0 = SmallBlock<false, false>;
using Q4_1 = SmallBlock<true, false>;
using Q5_0 = SmallBlock<false, true>;
using Q5_1 = SmallBlock<true, true>;

struct Q8_0 {
  FP_DEVICE static void eight(const uint8_t* block, int first, float (&out)[8]) {
    const Bytes8 codes = load_8(block + 2 + first);
    const float scale = half_at(block);
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      out[i] = scale * static_cast<float>(static_cast<int8_t>(codes.at(i)));
    }
  }
};

// Q4_K and Q5_K: sub-blocks of 32 with a scale and an offset of 6 bits each.
template <bool kHasFifthBit>
struct KBlock {
  FP_DEVICE static void eight(const uint8_t* block, int first, float (&out)[8]) {
    const int sub_block = first / 32, lane = first % 32;
    const uint8_t* packed = block + 4;
    int small_scale, small_offset;
    if (sub_block < 4) {
      small_scale = packed[sub_block] & 63, small_offset = packed[sub_block + 4] & 63;
    } else {
      small_scale = (packed[sub_block + 4] & 15) | packed[sub_block - 4] >> 6 << 4;
      small_offset = packed[sub_block + 4] >> 4 | packed[sub_block] >> 6 << 4;
    }
    const float scale = half_at(block) * static_cast<float>(small_scale);
    const float offset = half_at(block + 2) * static_cast<float>(small_offset);
    const Bytes8 codes = load_8(block + (kHasFifthBit ? 48 : 16) + sub_block / 2 * 32 + lane);
    Bytes8 fifth{};
    if constexpr (kHasFifthBit) fifth = load_8(block + 16 + lane);
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      const int code = (codes.at(i) >> sub_block % 2 * 4 & 15) | (fifth.at(i) >> sub_block & 1)
                                                                     << 4;
      out[i] = fmaf(scale, static_cast<float>(code), -offset);
    }
  }
};

// Low nibbles, upper bit pairs, then signed scales of 16 elements.
struct Q6K {
  FP_DEVICE static void eight(const uint8_t* block, int first, float (&out)[8]) {
    const int half = first / 128, quarter = first % 128 / 32, lane = first % 32;
    const Bytes8 low = load_8(block + half * 64 + quarter % 2 * 32 + lane);
    const Bytes8 high = load_8(block + 128 + half * 32 + lane);
    const int small_scale = static_cast<int8_t>(block[192 + first / 16]);
    const float scale = half_at(block + 208) * static_cast<float>(small_scale);
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      const int code = (low.at(i) >> quarter / 2 * 4 & 15) | (high.at(i) >> 2 * quarter & 3) << 4;
      out[i] = scale * static_cast<float>(code - 32);
    }
  }
};

FP_DEVICE void store_eight(const DequantizeGgmlArgs& args, long long piece,
                           const float (&values)[8]) {
  const int bytes = exact::bytes_of(args.dtype);
  uint32_t bits[2][4];
#pragma unroll
  for (int i = 0; i < 8; ++i) bits[i / 4][i % 4] = exact::narrow(values[i], args.dtype);
  if (reinterpret_cast<unsigned long long>(args.out) % 16 != 0) {
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      exact::store_bits(args.out, bytes, piece * 8 + i, bits[i / 4][i % 4]);
    }
  } else if (bytes == 4) {
    exact::store_four(args.out, bytes, piece * 2, bits[0]);
    exact::store_four(args.out, bytes, piece * 2 + 1, bits[1]);
  } else {
    static_cast<uint4*>(args.out)[piece] = {
        bits[0][0] | bits[0][1] << 16, bits[0][2] | bits[0][3] << 16, bits[1][0] | bits[1][1] << 16,
        bits[1][2] | bits[1][3] << 16};
  }
}

template <GgmlType kType>
struct BlockSize {
  static constexpr int kElements = ggml_block(kType).elements, kBytes = ggml_block(kType).bytes;
};

template <class Block, class Size>
FP_DEVICE void dequantize_ggml(const DequantizeGgmlArgs& args) {
  const long long piece = static_cast<long long>(blockIdx.x) * kGgmlThreads + threadIdx.x;
  const long long element = piece * kGgmlVector;
  if (element >= args.count) return;
  const long long block = element / Size::kElements;
  float values[8];
  Block::eight(static_cast<const uint8_t*>(args.blocks) + block * Size::kBytes,
               static_cast<int>(element % Size::kElements), values);
  store_eight(args, piece, values);
}

}  // namespace
}  // namespace framepack

#define GGML_KERNEL(name, Block, type)                                  \
  extern "C" __global__ void __launch_bounds__(framepack::kGgmlThreads) \
      name(const framepack::DequantizeGgmlArgs args) {                  \
    using namespace framepack;                                          \
    dequantize_ggml<Block, BlockSize<GgmlType::type>>(args);            \
  }

GGML_KERNEL(dequantize_q4_0, Q4_0, kQ4_0)
GGML_KERNEL(dequantize_q4_1, Q4_1, kQ4_1)
GGML_KERNEL(dequantize_q5_0, Q5_0, kQ5_0)
GGML_KERNEL(dequantize_q5_1, Q5_1, kQ5_1)
GGML_KERNEL(dequantize_q8_0, Q8_0, kQ8_0)
GGML_KERNEL(dequantize_q4_k, KBlock<false>, kQ4K)
GGML_KERNEL(dequantize_q5_k, KBlock<true>, kQ5K)
GGML_KERNEL(dequantize_q6_k, Q6K, kQ6K)
#undef GGML_KERNEL
