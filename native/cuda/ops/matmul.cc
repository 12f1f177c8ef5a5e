#include "../../../kernels/matmul/matmul_config.h"
#include "../cuda_device.h"

namespace framepack::cuda {

void CudaDevice::matmul(const MatmulArgs& args) {
  require_float("matmul", "a", args.a_dtype);
  if (args.w_dtype != DType::kF8E4M3) require_float("matmul", "weight", args.w_dtype);
  require_float("matmul", "out", args.out_dtype);
  launch("matmul", plan_matmul(args, traits()), args);
}

}  // namespace framepack::cuda
