// Oracles of the rotary embedding operations, also the CPU device at level scalar.
#pragma once
#include "rope_args.h"

namespace framepack::oracle {

void rope_table(const RopeTableArgs& args);
void rope_pool(const RopePoolArgs& args);
void rope(const RopeArgs& args);

// 1 / theta^(2 j / axis_width) rounded to f32: frequency j of one axis.
float rope_frequency(float theta, long long j, long long axis_width);

}  // namespace framepack::oracle
