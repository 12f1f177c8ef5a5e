#include "../../../kernels/patchify/patchify_config.h"
#include "../cuda_device.h"

namespace framepack::cuda {

void CudaDevice::patchify(const PatchifyArgs& args) {
  require_float("patchify", "x", args.x_dtype);
  require_float("patchify", "weight", args.w_dtype);
  require_float("patchify", "out", args.out_dtype);
  launch("patchify", plan_patchify(args, traits()), args);
}

void CudaDevice::unpatchify(const UnpatchifyArgs& args) {
  require_float("unpatchify", "x", args.dtype);
  launch("unpatchify", plan_unpatchify(args, traits()), args);
}

}  // namespace framepack::cuda
