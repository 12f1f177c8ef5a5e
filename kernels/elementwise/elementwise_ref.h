// Oracle of the elementwise operations, also the CPU device at level scalar.
#pragma once
#include "elementwise_args.h"

namespace framepack::oracle {

void elementwise(const ElementwiseArgs& args);

}  // namespace framepack::oracle
