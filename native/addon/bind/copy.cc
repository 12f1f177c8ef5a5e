#include <algorithm>

#include "../../../kernels/copy/copy_args.h"
#include "../arguments.h"
#include "../exports.h"

namespace framepack::addon {

static_assert(kCopyMaxRank == kMaxRank);

Napi::Value copy(const Napi::CallbackInfo& info) {
  const Arguments call("copy", info);
  const TensorView x = call.input("x");
  const TensorView out = call.output("out", x.rank);

  CopyArgs args{};
  args.x = x.data;
  args.out = out.data;
  args.rank = x.rank;
  std::ranges::copy(x.shape, args.shape);
  std::ranges::copy(x.strides, args.x_stride);
  std::ranges::copy(out.strides, args.out_stride);
  args.x_dtype = x.dtype;
  args.out_dtype = out.dtype;
  call.device().copy(args);
  return info.Env().Undefined();
}

Napi::Value fill(const Napi::CallbackInfo& info) {
  const Arguments call("fill", info);
  const TensorView out = call.output("out");

  FillArgs args{};
  args.out = out.data;
  args.count = 1;
  for (int axis = 0; axis < out.rank; ++axis) args.count *= out.shape[axis];
  args.value = static_cast<float>(call.number("value"));
  args.dtype = out.dtype;
  call.device().fill(args);
  return info.Env().Undefined();
}

Napi::Value quantize(const Napi::CallbackInfo& info) {
  const Arguments call("quantize", info);
  const TensorView x = call.input("x", 2);
  const TensorView scale = call.output("scale", 2);

  QuantizeArgs args{};
  args.w = x.data;
  args.q = call.output("out", 2).data;
  args.scale = reinterpret_cast<float*>(scale.data);
  args.rows = x.shape[0];
  args.width = x.shape[1];
  args.group_width = x.shape[1] / scale.shape[1];
  args.dtype = x.dtype;
  call.device().quantize(args);
  return info.Env().Undefined();
}

Napi::Value dequantize(const Napi::CallbackInfo& info) {
  const Arguments call("dequantize", info);
  const TensorView x = call.input("x", 2);
  const TensorView scale = call.input("scale", 2);
  const TensorView out = call.output("out", 2);

  DequantizeArgs args{};
  args.q = x.data;
  args.scale = reinterpret_cast<const float*>(scale.data);
  args.out = out.data;
  args.rows = x.shape[0];
  args.width = x.shape[1];
  args.group_width = x.shape[1] / scale.shape[1];
  args.dtype = out.dtype;
  call.device().dequantize(args);
  return info.Env().Undefined();
}

}  // namespace framepack::addon
