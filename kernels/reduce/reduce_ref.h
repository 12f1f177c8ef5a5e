// Oracle of the reductions, also the CPU device at level scalar.
#pragma once
#include "reduce_args.h"

namespace framepack::oracle {

void reduce(const ReduceArgs& args);

}  // namespace framepack::oracle
