// Contract of the block formats of ggml, in which GGUF files hold weights; shared by the addon, the CPU device, the
// CUDA device and the kernels. A block is a few f16 numbers, packed small scales and packed codes of consecutive
// elements, little endian; no type has an odd number of bytes.
#pragma once
#include "../device/dtype.h"

namespace framepack {

// With the numbers that ggml and GGUF files give them.
enum class GgmlType : int {
  kQ4_0 = 2,
  kQ4_1 = 3,
  kQ5_0 = 6,
  kQ5_1 = 7,
  kQ8_0 = 8,
  kQ4K = 12,
  kQ5K = 13,
  kQ6K = 14
};

struct GgmlBlock {
  int elements, bytes;
};

// The size of a block; {0, 0} for another type.
constexpr GgmlBlock ggml_block(GgmlType type) {
  switch (type) {
    case GgmlType::kQ4_0: return {32, 18};
    case GgmlType::kQ4_1: return {32, 20};
    case GgmlType::kQ5_0: return {32, 22};
    case GgmlType::kQ5_1: return {32, 24};
    case GgmlType::kQ8_0: return {32, 34};
    case GgmlType::kQ4K: return {256, 144};
    case GgmlType::kQ5K: return {256, 176};
    case GgmlType::kQ6K: return {256, 210};
  }
  return {0, 0};
}

// out = scale * code (+ offset) of every element, in f32, then rounded once to the dtype. All products but those of
// Q6_K are exact in f32, so that it makes no difference whether the sum behind them is fused.
struct DequantizeGgmlArgs {
  const void* blocks;  // whole blocks, one after another; begins at an even address
  void* out;           // contiguous
  long long count;     // elements, a multiple of those of a block
  GgmlType type;
  DType dtype;  // f32, f16, bf16
};

}  // namespace framepack
