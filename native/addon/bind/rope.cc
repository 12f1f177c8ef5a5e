#include <algorithm>

#include "../../../kernels/rope/rope_args.h"
#include "../arguments.h"
#include "../exports.h"

namespace framepack::addon {

Napi::Value rope_table(const Napi::CallbackInfo& info) {
  const Arguments call("ropeTable", info);
  const TensorView positions = call.input("framePositions", 1);
  const auto axis_widths = call.triple("axisWidths");

  RopeTableArgs args{};
  args.frame_positions = reinterpret_cast<const int*>(positions.data);
  args.cos = reinterpret_cast<float*>(call.output("cos", 2).data);
  args.sin = reinterpret_cast<float*>(call.output("sin", 2).data);
  args.frames = positions.shape[0];
  args.height = call.whole("height");
  args.width = call.whole("width");
  std::ranges::copy(axis_widths, args.axis_width);
  args.theta = static_cast<float>(call.number("theta"));
  call.device().rope_table(args);
  return info.Env().Undefined();
}

Napi::Value rope_pool(const Napi::CallbackInfo& info) {
  const Arguments call("ropePool", info);
  const TensorView cos = call.input("cos", 2);
  const TensorView sin = call.input("sin", 2);
  const auto grid = call.triple("grid");
  const auto pool = call.triple("pool");

  RopePoolArgs args{};
  args.cos = reinterpret_cast<const float*>(cos.data);
  args.sin = reinterpret_cast<const float*>(sin.data);
  args.cos_out = reinterpret_cast<float*>(call.output("cosOut", 2).data);
  args.sin_out = reinterpret_cast<float*>(call.output("sinOut", 2).data);
  args.frames = grid[0];
  args.height = grid[1];
  args.width = grid[2];
  args.columns = cos.shape[1];
  std::ranges::copy(pool, args.pool);
  call.device().rope_pool(args);
  return info.Env().Undefined();
}

Napi::Value rope(const Napi::CallbackInfo& info) {
  const Arguments call("rope", info);
  const TensorView x = call.input("x", 4);
  const TensorView cos = call.input("cos", 2);
  const TensorView sin = call.input("sin", 2);
  const TensorView out = call.output("out", 4);
  const auto weight = call.optional_input("weight", 1);

  RopeArgs args{};
  args.x = x.data;
  args.weight = data_of(weight);
  args.cos = reinterpret_cast<const float*>(cos.data);
  args.sin = reinterpret_cast<const float*>(sin.data);
  args.out = out.data;
  args.batch = x.shape[0];
  args.tokens = x.shape[1];
  args.heads = x.shape[2];
  args.head_width = x.shape[3];
  args.table_tokens = cos.shape[0];
  args.x_batch_stride = x.strides[0];
  args.x_token_stride = x.strides[1];
  args.x_head_stride = x.strides[2];
  args.out_batch_stride = out.strides[0];
  args.out_token_stride = out.strides[1];
  args.out_head_stride = out.strides[2];
  args.eps = static_cast<float>(call.number("eps"));
  args.layout = static_cast<RopeLayout>(call.whole("layout"));
  args.dtype = x.dtype;
  args.weight_dtype = dtype_of(weight);
  call.device().rope(args);
  return info.Env().Undefined();
}

}  // namespace framepack::addon
