#include "../../../kernels/copy/copy_config.h"
#include "../cuda_device.h"

namespace framepack::cuda {

void CudaDevice::copy(const CopyArgs& call) {
  CopyArgs args = call;
  const Launch plan = plan_copy(args, traits());
  launch("copy", plan, args);
}

void CudaDevice::fill(const FillArgs& args) { launch("fill", plan_fill(args, traits()), args); }

void CudaDevice::quantize(const QuantizeArgs& args) {
  require_float("quantize", "x", args.dtype);
  for (const Launch& step : plan_quantize(args, traits())) launch("quantize", step, args);
}

void CudaDevice::dequantize(const DequantizeArgs& args) {
  require_float("dequantize", "out", args.dtype);
  launch("dequantize", plan_dequantize(args, traits()), args);
}

}  // namespace framepack::cuda
