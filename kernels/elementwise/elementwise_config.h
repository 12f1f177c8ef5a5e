// Which elementwise kernel runs, as a pure function of the arguments. No CUDA headers.
#pragma once
#include "../device/axes.h"
#include "../device/launch.h"
#include "elementwise_args.h"

namespace framepack {

constexpr int kElementwiseThreads = 256;

namespace elementwise_plan {

// The operand moves in 16-byte pieces of the dtype of out, or is one number per innermost run.
inline bool is_vector_operand(const ElementwiseArgs& args, const void* data, DType dtype,
                              const long long (&stride)[kElementwiseMaxRank]) {
  const long long inner = args.rank - 1;
  if (!data) return true;
  if (dtype == DType::kU8) return false;
  if (stride[inner] == 0) return true;
  if (stride[inner] != 1 || dtype != args.out_dtype) return false;
  bool is_aligned = is_vector_aligned(data, 0, 1);
  for (long long axis = 0; axis < inner; ++axis) {
    is_aligned = is_aligned && is_vector_aligned(data, stride[axis], size_of(dtype));
  }
  return is_aligned;
}

inline bool is_vector(const ElementwiseArgs& args, long long runs) {
  const long long inner = args.rank - 1;
  return (runs == 1 || args.shape[inner] * size_of(args.out_dtype) % 16 == 0) &&
         args.out_stride[inner] == 1 &&
         is_vector_operand(args, args.a, args.a_dtype, args.a_stride) &&
         is_vector_operand(args, args.b, args.b_dtype, args.b_stride) &&
         is_vector_operand(args, args.c, args.c_dtype, args.c_stride) &&
         is_vector_operand(args, args.out, args.out_dtype, args.out_stride);
}

}  // namespace elementwise_plan

// Merges axes in `args`, which the launch must then be given.
inline Launch plan_elementwise(ElementwiseArgs& args, const DeviceTraits&) {
  merge_axes(args.rank, args.shape,
             {&args.a_stride, &args.b_stride, &args.c_stride, &args.out_stride});
  long long runs = 1;
  for (long long axis = 0; axis < args.rank - 1; ++axis) runs *= args.shape[axis];
  const bool is_vector = elementwise_plan::is_vector(args, runs);
  const int elements_per_thread = is_vector ? 16 / size_of(args.out_dtype) : 1;
  const long long threads = runs * ceil_div(args.shape[args.rank - 1], elements_per_thread);
  const char* kernel = !is_vector                      ? "elementwise_any"
                       : args.out_dtype == DType::kF32 ? "elementwise_f32"
                       : args.out_dtype == DType::kF16 ? "elementwise_f16"
                                                       : "elementwise_bf16";
  return {kernel,
          {static_cast<unsigned>(ceil_div(threads, kElementwiseThreads)), 1, 1},
          {kElementwiseThreads, 1, 1},
          0};
}

}  // namespace framepack
