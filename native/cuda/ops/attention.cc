#include "../../../kernels/attention/attention_config.h"
#include "../cuda_device.h"

namespace framepack::cuda {

void CudaDevice::attention(const AttentionArgs& args) {
  require_float("attention", "q", args.dtype);
  launch("attention", plan_attention(args, traits()), args);
}

}  // namespace framepack::cuda
