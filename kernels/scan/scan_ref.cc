#include "scan_ref.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "../../native/core/dtype.h"

namespace framepack::oracle {
namespace {

// Whether x stands before y among the largest first.
bool is_larger(float x, float y) {
  if (std::isnan(x) || std::isnan(y)) return std::isnan(x) && !std::isnan(y);
  return x > y;
}

}  // namespace

void cumsum(const CumsumArgs& args) {
  for (long long o = 0; o < args.outer; ++o)
    for (long long i = 0; i < args.inner; ++i) {
      double sum = 0;
      for (long long a = 0; a < args.axis; ++a) {
        const long long at = (o * args.axis + a) * args.inner + i;
        sum += load_f32(args.x, args.dtype, at);
        store_f32(args.out, args.out_dtype, at, static_cast<float>(sum));
      }
    }
}

void top_k(const TopKArgs& args) {
  std::vector<int> order(static_cast<size_t>(args.axis));
  for (long long o = 0; o < args.outer; ++o)
    for (long long i = 0; i < args.inner; ++i) {
      const auto value = [&](int a) {
        return load_f32(args.x, args.dtype, (o * args.axis + a) * args.inner + i);
      };
      for (long long a = 0; a < args.axis; ++a) order[static_cast<size_t>(a)] = static_cast<int>(a);
      std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
        return args.is_largest ? is_larger(value(a), value(b)) : is_larger(value(b), value(a));
      });
      for (long long rank = 0; rank < args.k; ++rank) {
        const long long to = (o * args.k + rank) * args.inner + i;
        const int index = order[static_cast<size_t>(rank)];
        store_f32(args.values, args.dtype, to, value(index));
        args.indices[to] = index;
      }
    }
}

}  // namespace framepack::oracle
