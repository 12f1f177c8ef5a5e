#include "../../../kernels/norm/norm_config.h"
#include "../cuda_device.h"

namespace framepack::cuda {

void CudaDevice::layer_norm(const LayerNormArgs& args) {
  require_float("layerNorm", "x", args.dtype);
  launch("layerNorm", plan_layer_norm(args, traits()), args);
}

void CudaDevice::rms_norm(const RmsNormArgs& args) {
  require_float("rmsNorm", "x", args.dtype);
  launch("rmsNorm", plan_rms_norm(args, traits()), args);
}

void CudaDevice::group_norm(const GroupNormArgs& call) {
  require_float("groupNorm", "x", call.dtype);
  GroupNormArgs args = call;
  args.workspace = workspace("groupNorm", static_cast<size_t>(group_norm_workspace_bytes(args)));
  for (const Launch& step : plan_group_norm(args, traits())) launch("groupNorm", step, args);
}

}  // namespace framepack::cuda
