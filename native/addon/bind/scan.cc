#include "../../../kernels/scan/scan_args.h"
#include "../arguments.h"
#include "../exports.h"

namespace framepack::addon {

Napi::Value cumsum(const Napi::CallbackInfo& info) {
  const Arguments call("cumsum", info);
  const TensorView x = call.input("x", 3);
  const TensorView out = call.output("out", 3);

  CumsumArgs args{};
  args.x = x.data;
  args.out = out.data;
  args.outer = x.shape[0];
  args.axis = x.shape[1];
  args.inner = x.shape[2];
  args.dtype = x.dtype;
  args.out_dtype = out.dtype;
  call.device().cumsum(args);
  return info.Env().Undefined();
}

Napi::Value top_k(const Napi::CallbackInfo& info) {
  const Arguments call("topK", info);
  const TensorView x = call.input("x", 3);
  const TensorView values = call.output("values", 3);
  const TensorView indices = call.output("indices", 3);

  TopKArgs args{};
  args.x = x.data;
  args.values = values.data;
  args.indices = reinterpret_cast<int*>(indices.data);
  args.outer = x.shape[0];
  args.axis = x.shape[1];
  args.inner = x.shape[2];
  args.k = values.shape[1];
  args.is_largest = call.flag("isLargest");
  args.dtype = x.dtype;
  call.device().top_k(args);
  return info.Env().Undefined();
}

}  // namespace framepack::addon
