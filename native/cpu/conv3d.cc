#include "conv3d.h"

#include "../../kernels/conv3d/conv3d_ref.h"

namespace framepack::cpu {

void conv3d(const Conv3dArgs& args, const CpuContext&) { oracle::conv3d(args); }

}  // namespace framepack::cpu
