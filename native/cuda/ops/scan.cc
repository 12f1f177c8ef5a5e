#include "../../../kernels/scan/scan_config.h"
#include "../cuda_device.h"

namespace framepack::cuda {

void CudaDevice::cumsum(const CumsumArgs& args) {
  require_float("cumsum", "x", args.dtype);
  require_float("cumsum", "out", args.out_dtype);
  launch("cumsum", plan_cumsum(args, traits()), args);
}

void CudaDevice::top_k(const TopKArgs& args) {
  require_float("topK", "x", args.dtype);
  launch("topK", plan_top_k(args, traits()), args);
}

}  // namespace framepack::cuda
