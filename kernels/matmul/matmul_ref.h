// Oracle of matmul: obvious loops with f64 sums, also the CPU device at level scalar.
#pragma once
#include "matmul_args.h"

namespace framepack::oracle {

void matmul(const MatmulArgs& args);

}  // namespace framepack::oracle
