// Which kernel walks an axis, as a pure function of the arguments. No CUDA headers.
#pragma once
#include "../device/launch.h"
#include "scan_args.h"

namespace framepack {

constexpr int kScanThreads = 256;

// One block per line.
inline Launch plan_cumsum(const CumsumArgs& args, const DeviceTraits&) {
  if (args.axis == 0) return {};
  return {
      "cumsum", {static_cast<unsigned>(args.outer * args.inner), 1, 1}, {kScanThreads, 1, 1}, 0};
}

inline Launch plan_top_k(const TopKArgs& args, const DeviceTraits&) {
  if (args.k == 0) return {};
  return {"top_k", {static_cast<unsigned>(args.outer * args.inner), 1, 1}, {kScanThreads, 1, 1}, 0};
}

}  // namespace framepack
