#include "../../../kernels/matmul/matmul_args.h"
#include "../arguments.h"
#include "../exports.h"

namespace framepack::addon {

Napi::Value matmul(const Napi::CallbackInfo& info) {
  const Arguments call("matmul", info);
  const TensorView a = call.input("a", 3);
  const TensorView weight = call.input("weight", 3);
  const TensorView out = call.output("out", 3);
  const auto scale = call.optional_input("scale");
  const auto bias = call.optional_input("bias", 1);
  const auto residual = call.optional_input("residual", 2);
  const auto gate = call.optional_input("gate", 2);

  MatmulArgs args{};
  args.a = a.data;
  args.w = weight.data;
  args.w_scale = static_cast<const float*>(data_of(scale));
  args.bias = data_of(bias);
  args.residual = data_of(residual);
  args.gate = data_of(gate);
  args.out = out.data;
  args.batch = out.shape[0];
  args.m = out.shape[1];
  args.n = out.shape[2];
  args.k = a.shape[2];
  args.a_batch_stride = a.strides[0];
  args.w_batch_stride = weight.strides[0];
  args.out_batch_stride = out.strides[0];
  args.a_row_stride = a.strides[1];
  args.w_row_stride = weight.strides[1];
  args.residual_row_stride = residual ? residual->strides[0] : 0;
  args.out_row_stride = out.strides[1];
  args.gate_rows = gate ? args.m / gate->shape[0] : 1;
  args.a_dtype = a.dtype;
  args.w_dtype = weight.dtype;
  args.bias_dtype = dtype_of(bias);
  args.gate_dtype = dtype_of(gate);
  args.out_dtype = out.dtype;
  args.activation = static_cast<Activation>(call.whole("activation"));
  args.scale_mode = static_cast<ScaleMode>(call.whole("scaleMode"));
  call.device().matmul(args);
  return info.Env().Undefined();
}

}  // namespace framepack::addon
