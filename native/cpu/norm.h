// Normalisations on the CPU device.
#pragma once
#include "../../kernels/norm/norm_args.h"

namespace framepack::cpu {

struct CpuContext;

void layer_norm(const LayerNormArgs& args, const CpuContext& context);
void rms_norm(const RmsNormArgs& args, const CpuContext& context);
void group_norm(const GroupNormArgs& args, const CpuContext& context);

}  // namespace framepack::cpu
