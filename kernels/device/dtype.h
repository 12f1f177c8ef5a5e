// Element types shared by host, device and oracle code. Plain C++: no CUDA keywords, no standard headers.
#pragma once

namespace framepack {

// The numbers are part of the contract with src/tensor/dtype.ts; never reorder.
enum class DType : int { kF32 = 0, kF16 = 1, kBf16 = 2, kF8E4M3 = 3, kI32 = 4, kU8 = 5 };

constexpr int size_of(DType dtype) {
  switch (dtype) {
    case DType::kF32:
    case DType::kI32: return 4;
    case DType::kF16:
    case DType::kBf16: return 2;
    case DType::kF8E4M3:
    case DType::kU8: return 1;
  }
  return 0;
}

}  // namespace framepack
