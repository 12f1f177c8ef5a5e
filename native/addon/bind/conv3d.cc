#include <algorithm>

#include "../../../kernels/conv3d/conv3d_args.h"
#include "../arguments.h"
#include "../exports.h"

namespace framepack::addon {

Napi::Value conv3d(const Napi::CallbackInfo& info) {
  const Arguments call("conv3d", info);
  const TensorView x = call.input("x", 5);
  const TensorView weight = call.input("weight", 5);
  const TensorView out = call.output("out", 5);
  const auto bias = call.optional_input("bias", 1);
  const auto residual = call.optional_input("residual", 5);
  const auto stride = call.triple("stride");
  const auto pad = call.triple("pad");

  Conv3dArgs args{};
  args.x = x.data;
  args.w = weight.data;
  args.bias = data_of(bias);
  args.residual = data_of(residual);
  args.out = out.data;
  args.batch = x.shape[0];
  args.in_channels = x.shape[4];
  args.out_channels = out.shape[4];
  for (int axis = 0; axis < 3; ++axis) {
    args.in_extent[axis] = x.shape[axis + 1];
    args.out_extent[axis] = out.shape[axis + 1];
    args.kernel[axis] = weight.shape[axis + 1];
    args.out_stride[axis] = out.strides[axis + 1];
  }
  std::ranges::copy(stride, args.stride);
  std::ranges::copy(pad, args.pad);
  args.out_batch_stride = out.strides[0];
  args.dtype = x.dtype;
  args.w_dtype = weight.dtype;
  args.bias_dtype = dtype_of(bias);
  call.device().conv3d(args);
  return info.Env().Undefined();
}

}  // namespace framepack::addon
