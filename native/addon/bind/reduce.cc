#include "../../../kernels/reduce/reduce_args.h"
#include "../arguments.h"
#include "../exports.h"

namespace framepack::addon {

Napi::Value reduce(const Napi::CallbackInfo& info) {
  const Arguments call("reduce", info);
  const TensorView x = call.input("x", 3);
  const auto y = call.optional_input("y", 3);
  const TensorView out = call.output("out", 2);

  ReduceArgs args{};
  args.x = x.data;
  args.y = data_of(y);
  args.out = out.data;
  args.outer = x.shape[0];
  args.axis = x.shape[1];
  args.inner = x.shape[2];
  args.op = static_cast<ReduceOp>(call.whole("operation"));
  args.dtype = x.dtype;
  args.out_dtype = out.dtype;
  call.device().reduce(args);
  return info.Env().Undefined();
}

}  // namespace framepack::addon
