// out[i...] = op(a[i...], b[i...], c[i...]), broadcast: arithmetic, functions, activations, comparisons, selection
//
// Kernels    elementwise_<f32|f16|bf16>   16-byte pieces: operands of the dtype of out that run with it,
//                                         or one number per innermost run (broadcast columns, scalars)
//            elementwise_any              one element per thread: any strides, any mix of dtypes,
//                                         u8 masks
// Layout     any strides, at most 6 axes, merged by the plan; broadcast axes have stride 0.
// Mapping    one piece or element per thread in the order of out. Offsets cost at most one division per
//            axis, in 32 bits where they hold the index; a contiguous tensor is one axis and costs
//            none.
// Numerics   f32 arithmetic, rounded once. f32 results use expf and exact division (a few 2^-24),
//            16-bit results ex2.approx and rcp.approx (2^-22, hidden by their rounding). Clamp lets NaN
//            through.
// Cost       every operand is read once and out written once: bound by memory.
#include "../device/accurate.cuh"
#include "../device/axes.cuh"
#include "../device/convert.cuh"
#include "elementwise_config.h"

namespace framepack {
namespace {

FP_DEVICE float mask(bool holds) { return holds ? 1.f : 0.f; }

// a = op(a, b, c). The operation is the same for the whole launch: one branch for all elements.
template <bool kAccurate, int kCount>
FP_DEVICE void apply(const ElementwiseArgs& args, float (&a)[kCount], const float (&b)[kCount],
                     const float (&c)[kCount]) {
  const float alpha = args.alpha, beta = args.beta;
  const auto each = [&](const auto& f) {
#pragma unroll
    for (int i = 0; i < kCount; ++i) a[i] = f(a[i], b[i], c[i]);
  };
  switch (args.op) {
    case ElementwiseOp::kAdd: return each([](float a, float b, float) { return a + b; });
    case ElementwiseOp::kSub: return each([](float a, float b, float) { return a - b; });
    case ElementwiseOp::kMul: return each([](float a, float b, float) { return a * b; });
    case ElementwiseOp::kDiv: return each([](float a, float b, float) { return a / b; });
    case ElementwiseOp::kLerp:
      return each([](float a, float b, float c) { return fmaf(b, c, a * (1.f - c)); });
    case ElementwiseOp::kAffine:
      return each([=](float a, float, float) { return fmaf(a, alpha, beta); });
    case ElementwiseOp::kClamp:
      return each([=](float a, float, float) {
        const float raised = a < alpha ? alpha : a;
        return beta < raised ? beta : raised;
      });
    case ElementwiseOp::kGeluTanh:
      return each(
          [](float a, float, float) { return kAccurate ? accurate::gelu_tanh(a) : gelu_tanh(a); });
    case ElementwiseOp::kSilu:
      return each([](float a, float, float) { return kAccurate ? accurate::silu(a) : silu(a); });
    case ElementwiseOp::kQuickGelu:
      return each([](float a, float, float) {
        return kAccurate ? accurate::quick_gelu(a) : quick_gelu(a);
      });
    case ElementwiseOp::kExp: return each([](float a, float, float) { return expf(a); });
    case ElementwiseOp::kRelu: return each([](float a, float, float) { return a < 0.f ? 0.f : a; });
    case ElementwiseOp::kTanh: return each([](float a, float, float) { return tanhf(a); });
    case ElementwiseOp::kSqrt: return each([](float a, float, float) { return sqrtf(a); });
    case ElementwiseOp::kRsqrt: return each([](float a, float, float) { return 1.f / sqrtf(a); });
    case ElementwiseOp::kLog: return each([](float a, float, float) { return logf(a); });
    case ElementwiseOp::kMaximum:
      return each([](float a, float b, float) { return a > b || isnan(a) ? a : b; });
    case ElementwiseOp::kMinimum:
      return each([](float a, float b, float) { return a < b || isnan(a) ? a : b; });
    case ElementwiseOp::kEqual: return each([](float a, float b, float) { return mask(a == b); });
    case ElementwiseOp::kNotEqual:
      return each([](float a, float b, float) { return mask(a != b); });
    case ElementwiseOp::kLess: return each([](float a, float b, float) { return mask(a < b); });
    case ElementwiseOp::kLessEqual:
      return each([](float a, float b, float) { return mask(a <= b); });
    case ElementwiseOp::kGreater: return each([](float a, float b, float) { return mask(a > b); });
    case ElementwiseOp::kGreaterEqual:
      return each([](float a, float b, float) { return mask(a >= b); });
    case ElementwiseOp::kWhere:
      return each([](float a, float b, float c) { return c != 0.f ? a : b; });
  }
}

// Offsets into a, b, c and out.
FP_DEVICE Offsets<4> elementwise_offsets(const ElementwiseArgs& args, int step) {
  const long long* const strides[4] = {args.a_stride, args.b_stride, args.c_stride,
                                       args.out_stride};
  return offsets_of(global_thread(), step, args.shape, strides);
}

// Elements that run with out, or one number for all of them, or zeros where there is no operand.
template <class Element>
FP_DEVICE void load_operand(float (&v)[kVectorCount<Element>], const void* data, DType dtype,
                            long long stride, long long at, int count) {
  if (data && stride != 0) {
    load_span(v, data, Element::kDType, at, count);
    return;
  }
  const float value = data ? load_element(data, dtype, at) : 0.f;
#pragma unroll
  for (int i = 0; i < kVectorCount<Element>; ++i) v[i] = value;
}

template <class Element>
FP_DEVICE void elementwise_vector(const ElementwiseArgs& args) {
  constexpr int kCount = kVectorCount<Element>, kInner = kElementwiseMaxRank - 1;
  const Offsets<4> offsets = elementwise_offsets(args, kCount);
  if (!offsets.exists) return;
  const int count =
      static_cast<int>(min(args.shape[kInner] - offsets.inner, static_cast<long long>(kCount)));
  float a[kCount], b[kCount], c[kCount];
  load_operand<Element>(a, args.a, args.a_dtype, args.a_stride[kInner], offsets.at[0], count);
  load_operand<Element>(b, args.b, args.b_dtype, args.b_stride[kInner], offsets.at[1], count);
  load_operand<Element>(c, args.c, args.c_dtype, args.c_stride[kInner], offsets.at[2], count);
  apply<Element::kBytes == 4>(args, a, b, c);
  store_span(args.out, Element::kDType, offsets.at[3], count, a);
}

FP_DEVICE float load_condition(const ElementwiseArgs& args, long long at) {
  if (args.c_dtype == DType::kU8) return static_cast<const uint8_t*>(args.c)[at];
  return load_element(args.c, args.c_dtype, at);
}

FP_DEVICE void elementwise_any(const ElementwiseArgs& args) {
  const Offsets<4> offsets = elementwise_offsets(args, 1);
  if (!offsets.exists) return;
  float a[1] = {load_element(args.a, args.a_dtype, offsets.at[0])};
  const float b[1] = {args.b ? load_element(args.b, args.b_dtype, offsets.at[1]) : 0.f};
  const float c[1] = {args.c ? load_condition(args, offsets.at[2]) : 0.f};
  apply<true>(args, a, b, c);
  if (args.out_dtype == DType::kU8) {
    static_cast<uint8_t*>(args.out)[offsets.at[3]] = a[0] != 0.f;
  } else {
    store_element(args.out, args.out_dtype, offsets.at[3], a[0]);
  }
}

}  // namespace
}  // namespace framepack

#define ELEMENTWISE_KERNEL(name, function)                                     \
  extern "C" __global__ void __launch_bounds__(framepack::kElementwiseThreads) \
      name(const framepack::ElementwiseArgs args) {                            \
    framepack::function(args);                                                 \
  }

ELEMENTWISE_KERNEL(elementwise_f32, elementwise_vector<framepack::F32>)
ELEMENTWISE_KERNEL(elementwise_f16, elementwise_vector<framepack::F16>)
ELEMENTWISE_KERNEL(elementwise_bf16, elementwise_vector<framepack::Bf16>)
ELEMENTWISE_KERNEL(elementwise_any, elementwise_any)
#undef ELEMENTWISE_KERNEL
