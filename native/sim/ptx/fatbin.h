// Finds the PTX text inside what cuModuleLoadData receives: a fatbin of nvcc or bare PTX.
#pragma once

#include <string>

namespace cudasim::ptx {

/**
 * A fatbin must have been made with `--no-compress` and hold a PTX entry, e.g.
 * `-gencode arch=compute_80,code=compute_80`. The entry with the lowest architecture wins.
 * @throws LoadError when there is no readable PTX.
 */
std::string extract_ptx(const void* image);

}  // namespace cudasim::ptx
