#include <algorithm>

#include "../../../kernels/elementwise/elementwise_args.h"
#include "../arguments.h"
#include "../exports.h"

namespace framepack::addon {

static_assert(kElementwiseMaxRank == kMaxRank);

Napi::Value elementwise(const Napi::CallbackInfo& info) {
  const Arguments call("elementwise", info);
  const TensorView out = call.output("out");
  const TensorView a = call.input("a", out.rank);
  const auto b = call.optional_input("b", out.rank);
  const auto c = call.optional_input("c", out.rank);

  ElementwiseArgs args{};
  args.a = a.data;
  args.b = data_of(b);
  args.c = data_of(c);
  args.out = out.data;
  args.rank = out.rank;
  std::ranges::copy(out.shape, args.shape);
  std::ranges::copy(a.strides, args.a_stride);
  if (b) std::ranges::copy(b->strides, args.b_stride);
  if (c) std::ranges::copy(c->strides, args.c_stride);
  std::ranges::copy(out.strides, args.out_stride);
  args.alpha = static_cast<float>(call.number("alpha"));
  args.beta = static_cast<float>(call.number("beta"));
  args.op = static_cast<ElementwiseOp>(call.whole("operation"));
  args.a_dtype = a.dtype;
  args.b_dtype = dtype_of(b);
  args.c_dtype = dtype_of(c);
  args.out_dtype = out.dtype;
  call.device().elementwise(args);
  return info.Env().Undefined();
}

}  // namespace framepack::addon
