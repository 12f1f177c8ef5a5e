// Oracles of the gathers, also the CPU device at level scalar.
#pragma once
#include "gather_args.h"

namespace framepack::oracle {

void embedding(const EmbeddingArgs& args);
void upsample(const UpsampleArgs& args);
void indexed(const IndexedArgs& args);

}  // namespace framepack::oracle
