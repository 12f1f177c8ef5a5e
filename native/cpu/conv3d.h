// Three-dimensional convolution on the CPU device.
#pragma once
#include "../../kernels/conv3d/conv3d_args.h"

namespace framepack::cpu {

struct CpuContext;

void conv3d(const Conv3dArgs& args, const CpuContext& context);

}  // namespace framepack::cpu
