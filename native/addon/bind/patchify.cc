#include <algorithm>

#include "../../../kernels/patchify/patchify_args.h"
#include "../arguments.h"
#include "../exports.h"

namespace framepack::addon {

Napi::Value patchify(const Napi::CallbackInfo& info) {
  const Arguments call("patchify", info);
  const TensorView x = call.input("x", 5);
  const TensorView weight = call.input("weight", 5);
  const TensorView out = call.output("out", 3);
  const auto bias = call.optional_input("bias", 1);

  PatchifyArgs args{};
  args.x = x.data;
  args.w = weight.data;
  args.bias = data_of(bias);
  args.out = out.data;
  args.batch = x.shape[0];
  args.channels = x.shape[1];
  args.width = out.shape[2];
  for (int axis = 0; axis < 3; ++axis) {
    args.extent[axis] = x.shape[axis + 2];
    args.kernel[axis] = weight.shape[axis + 2];
    args.x_stride[axis] = x.strides[axis + 2];
  }
  args.x_batch_stride = x.strides[0];
  args.x_channel_stride = x.strides[1];
  args.x_dtype = x.dtype;
  args.w_dtype = weight.dtype;
  args.bias_dtype = dtype_of(bias);
  args.out_dtype = out.dtype;
  call.device().patchify(args);
  return info.Env().Undefined();
}

Napi::Value unpatchify(const Napi::CallbackInfo& info) {
  const Arguments call("unpatchify", info);
  const TensorView x = call.input("x", 3);
  const TensorView out = call.output("out", 5);
  const auto grid = call.triple("grid");
  const auto patch = call.triple("patch");

  UnpatchifyArgs args{};
  args.x = x.data;
  args.out = out.data;
  args.batch = x.shape[0];
  args.channels = out.shape[1];
  std::ranges::copy(grid, args.grid);
  std::ranges::copy(patch, args.patch);
  args.x_batch_stride = x.strides[0];
  args.x_token_stride = x.strides[1];
  args.dtype = x.dtype;
  call.device().unpatchify(args);
  return info.Env().Undefined();
}

}  // namespace framepack::addon
