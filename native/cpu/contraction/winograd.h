// Convolution by Winograd's minimal filtering: 3 x 3 taps in height and width, stride 1.
#pragma once
#include "../../../kernels/conv3d/conv3d_args.h"

namespace framepack::cpu {

struct CpuContext;
namespace isa {
struct GemmKernels;
}

// Whether the method applies and pays.
bool can_use_winograd(const Conv3dArgs& args, const isa::GemmKernels& kernels);

void winograd_conv3d(const Conv3dArgs& args, const isa::GemmKernels& kernels,
                     const CpuContext& context);

}  // namespace framepack::cpu
