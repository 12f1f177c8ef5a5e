#include "../../../kernels/conv3d/conv3d_config.h"
#include "../cuda_device.h"

namespace framepack::cuda {

void CudaDevice::conv3d(const Conv3dArgs& args) {
  require_float("conv3d", "x", args.dtype);
  require_float("conv3d", "weight", args.w_dtype);
  launch("conv3d", plan_conv3d(args, traits()), args);
}

}  // namespace framepack::cuda
