#include "norm.h"

#include "../../kernels/norm/norm_ref.h"

namespace framepack::cpu {

void layer_norm(const LayerNormArgs& args, const CpuContext&) { oracle::layer_norm(args); }
void rms_norm(const RmsNormArgs& args, const CpuContext&) { oracle::rms_norm(args); }
void group_norm(const GroupNormArgs& args, const CpuContext&) { oracle::group_norm(args); }

}  // namespace framepack::cpu
