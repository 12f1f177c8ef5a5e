#include "../../../kernels/ggml/ggml_config.h"
#include "../cuda_device.h"

namespace framepack::cuda {

void CudaDevice::dequantize_ggml(const DequantizeGgmlArgs& args) {
  require_float("dequantizeGgml", "out", args.dtype);
  launch("dequantizeGgml", plan_dequantize_ggml(args, traits()), args);
}

}  // namespace framepack::cuda
