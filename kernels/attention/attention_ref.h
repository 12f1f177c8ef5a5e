// Oracle of attention: one query row at a time in f64, also the CPU device at level scalar.
#pragma once
#include "attention_args.h"

namespace framepack::oracle {

// A query row that sees no key is written as zeros.
void attention(const AttentionArgs& args);

}  // namespace framepack::oracle
