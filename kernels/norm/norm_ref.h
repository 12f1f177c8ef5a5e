// Oracles of the normalisations: obvious loops with f64 statistics, also the CPU device at level
// scalar.
#pragma once
#include "norm_args.h"

namespace framepack::oracle {

void layer_norm(const LayerNormArgs& args);
void rms_norm(const RmsNormArgs& args);
void group_norm(const GroupNormArgs& args);

}  // namespace framepack::oracle
