#include "../../../kernels/norm/norm_args.h"
#include "../arguments.h"
#include "../exports.h"

namespace framepack::addon {

Napi::Value layer_norm(const Napi::CallbackInfo& info) {
  const Arguments call("layerNorm", info);
  const TensorView x = call.input("x", 2);
  const TensorView out = call.output("out", 2);
  const auto weight = call.optional_input("weight", 1);
  const auto bias = call.optional_input("bias", 1);
  const auto scale = call.optional_input("scale", 2);
  const auto shift = call.optional_input("shift", 2);
  const auto& affine = weight ? weight : bias;
  const auto& modulation = scale ? scale : shift;

  LayerNormArgs args{};
  args.x = x.data;
  args.weight = data_of(weight);
  args.bias = data_of(bias);
  args.scale = data_of(scale);
  args.shift = data_of(shift);
  args.out = out.data;
  args.rows = x.shape[0];
  args.width = x.shape[1];
  args.x_row_stride = x.strides[0];
  args.modulation_row_stride = modulation ? modulation->strides[0] : 0;
  args.rows_per_modulation = modulation ? args.rows / modulation->shape[0] : 1;
  args.eps = static_cast<float>(call.number("eps"));
  args.dtype = x.dtype;
  args.affine_dtype = dtype_of(affine);
  args.modulation_dtype = dtype_of(modulation);
  call.device().layer_norm(args);
  return info.Env().Undefined();
}

Napi::Value rms_norm(const Napi::CallbackInfo& info) {
  const Arguments call("rmsNorm", info);
  const TensorView x = call.input("x", 2);
  const TensorView weight = call.input("weight", 1);
  const TensorView out = call.output("out", 2);

  RmsNormArgs args{};
  args.x = x.data;
  args.weight = weight.data;
  args.out = out.data;
  args.rows = x.shape[0];
  args.width = x.shape[1];
  args.x_row_stride = x.strides[0];
  args.eps = static_cast<float>(call.number("eps"));
  args.dtype = x.dtype;
  args.weight_dtype = weight.dtype;
  call.device().rms_norm(args);
  return info.Env().Undefined();
}

Napi::Value group_norm(const Napi::CallbackInfo& info) {
  const Arguments call("groupNorm", info);
  const TensorView x = call.input("x", 3);
  const TensorView weight = call.input("weight", 1);
  const TensorView bias = call.input("bias", 1);
  const TensorView out = call.output("out", 3);

  GroupNormArgs args{};
  args.x = x.data;
  args.weight = weight.data;
  args.bias = bias.data;
  args.out = out.data;
  args.batch = x.shape[0];
  args.positions = x.shape[1];
  args.channels = x.shape[2];
  args.groups = call.whole("groups");
  args.eps = static_cast<float>(call.number("eps"));
  args.silu = call.flag("silu") ? 1 : 0;
  args.dtype = x.dtype;
  args.affine_dtype = weight.dtype;
  call.device().group_norm(args);
  return info.Env().Undefined();
}

}  // namespace framepack::addon
