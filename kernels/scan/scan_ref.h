// Oracles of the operations that walk one axis, also the CPU device at level scalar.
#pragma once
#include "scan_args.h"

namespace framepack::oracle {

void cumsum(const CumsumArgs& args);
void top_k(const TopKArgs& args);

}  // namespace framepack::oracle
