#include "../../../kernels/ggml/ggml_args.h"
#include "../arguments.h"
#include "../exports.h"

namespace framepack::addon {

Napi::Value dequantize_ggml(const Napi::CallbackInfo& info) {
  const Arguments call("dequantizeGgml", info);
  const TensorView blocks = call.input("blocks", 1);
  const TensorView out = call.output("out", 1);

  DequantizeGgmlArgs args{};
  args.blocks = blocks.data;
  args.out = out.data;
  args.count = out.shape[0];
  args.type = static_cast<GgmlType>(call.whole("type"));
  args.dtype = out.dtype;
  call.device().dequantize_ggml(args);
  return info.Env().Undefined();
}

}  // namespace framepack::addon
