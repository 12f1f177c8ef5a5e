// Oracle of conv3d: seven nested loops with f64 sums, also the CPU device at level scalar.
#pragma once
#include "conv3d_args.h"

namespace framepack::oracle {

void conv3d(const Conv3dArgs& args);

}  // namespace framepack::oracle
