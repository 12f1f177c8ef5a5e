// Which kernel unpacks blocks of ggml, as a pure function of the arguments. No CUDA headers.
#pragma once
#include "../device/launch.h"
#include "ggml_args.h"

namespace framepack {

constexpr int kGgmlThreads = 256;
constexpr int kGgmlVector =
    8;  // consecutive elements of one thread, which share their small scales

inline Launch plan_dequantize_ggml(const DequantizeGgmlArgs& args, const DeviceTraits&) {
  if (args.count == 0) return {};
  const auto kernel = [&] {
    switch (args.type) {
      case GgmlType::kQ4_0: return "dequantize_q4_0";
      case GgmlType::kQ4_1: return "dequantize_q4_1";
      case GgmlType::kQ5_0: return "dequantize_q5_0";
      case GgmlType::kQ5_1: return "dequantize_q5_1";
      case GgmlType::kQ8_0: return "dequantize_q8_0";
      case GgmlType::kQ4K: return "dequantize_q4_k";
      case GgmlType::kQ5K: return "dequantize_q5_k";
      default: return "dequantize_q6_k";
    }
  };
  const long long threads = args.count / kGgmlVector;
  return {kernel(),
          {static_cast<unsigned>(ceil_div(threads, kGgmlThreads)), 1, 1},
          {kGgmlThreads, 1, 1},
          0};
}

}  // namespace framepack
