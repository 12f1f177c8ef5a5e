// Contract of the elementwise operations, shared by the addon, the CPU device, the CUDA device and the kernel.
// Operands are broadcast by zero strides. Arithmetic is f32; the result is rounded once to the dtype of out.
#pragma once
#include "../device/dtype.h"

namespace framepack {

enum class ElementwiseOp : int {
  kAdd = 0,        // a + b
  kSub = 1,        // a - b
  kMul = 2,        // a * b
  kDiv = 3,        // a / b
  kLerp = 4,       // a * (1 - c) + b * c
  kAffine = 5,     // a * alpha + beta
  kClamp = 6,      // min(max(a, alpha), beta)
  kGeluTanh = 7,   // 0.5 a (1 + tanh(sqrt(2 / pi) (a + 0.044715 a^3)))
  kSilu = 8,       // a / (1 + exp(-a))
  kQuickGelu = 9,  // a / (1 + exp(-1.702 a))
  kExp = 10,       // exp(a)
  kRelu = 11,      // a < 0 ? 0 : a, which lets NaN through
  kTanh = 12,
  kSqrt = 13,
  kRsqrt = 14,         // 1 / sqrt(a)
  kLog = 15,           // natural logarithm
  kMaximum = 16,       // the larger of a and b, NaN if one of them is
  kMinimum = 17,       // the smaller of a and b, NaN if one of them is
  kEqual = 18,         // comparisons: 1 or 0; NaN equals nothing and is ordered with nothing
  kNotEqual = 19,      // a != b
  kLess = 20,          // a < b
  kLessEqual = 21,     // a <= b
  kGreater = 22,       // a > b
  kGreaterEqual = 23,  // a >= b
  kWhere = 24,         // c != 0 ? a : b
};

constexpr int kElementwiseMaxRank = 6;

struct ElementwiseArgs {
  const void* a;
  const void* b;  // operations that name it, else null
  const void* c;  // kLerp and kWhere, else null
  void* out;
  long long rank;
  long long shape[kElementwiseMaxRank];
  long long a_stride[kElementwiseMaxRank];  // elements; 0 on broadcast axes
  long long b_stride[kElementwiseMaxRank];
  long long c_stride[kElementwiseMaxRank];
  long long out_stride[kElementwiseMaxRank];
  float alpha, beta;
  ElementwiseOp op;
  DType a_dtype, b_dtype;  // f32, f16, bf16
  DType c_dtype;           // the same, or u8 for kWhere
  DType out_dtype;         // the same, or u8 for a comparison
};

}  // namespace framepack
