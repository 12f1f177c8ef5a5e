#include "../../../kernels/rope/rope_config.h"
#include "../cuda_device.h"

namespace framepack::cuda {

void CudaDevice::rope_table(const RopeTableArgs& args) {
  launch("ropeTable", plan_rope_table(args, traits()), args);
}

void CudaDevice::rope_pool(const RopePoolArgs& args) {
  launch("ropePool", plan_rope_pool(args, traits()), args);
}

void CudaDevice::rope(const RopeArgs& args) {
  require_float("rope", "x", args.dtype);
  launch("rope", plan_rope(args, traits()), args);
}

}  // namespace framepack::cuda
