#include "reduce_ref.h"

#include <algorithm>
#include <cmath>

#include "../../native/core/dtype.h"

namespace framepack::oracle {
namespace {

// Reduces the axis elements first, first + inner, first + 2 inner, ... to one number.
double reduce_one(const ReduceArgs& args, long long first) {
  const double count = static_cast<double>(args.axis);
  double sum = 0, sum_of_differences = 0, largest = 0, non_finite = 0;
  double maximum = -INFINITY, minimum = INFINITY;
  for (long long i = 0; i < args.axis; ++i) {
    const double x = load_f32(args.x, args.dtype, first + i * args.inner);
    const double y = args.y ? load_f32(args.y, args.dtype, first + i * args.inner) : 0;
    sum += x;
    sum_of_differences += std::abs(x - y);
    largest = std::max(largest, std::abs(x));
    non_finite += std::isfinite(x) ? 0 : 1;
    if (x > maximum || std::isnan(x)) maximum = x;
    if (x < minimum || std::isnan(x)) minimum = x;
  }
  switch (args.op) {
    case ReduceOp::kSum: return sum;
    case ReduceOp::kMean: return sum / count;
    case ReduceOp::kAbsMean: return sum_of_differences / count;
    case ReduceOp::kMaxAbs: return largest;
    case ReduceOp::kCountNonFinite: return non_finite;
    case ReduceOp::kMax: return maximum;
    case ReduceOp::kMin: return minimum;
    case ReduceOp::kStd: break;
  }
  const double mean = sum / count;
  double squares = 0;
  for (long long i = 0; i < args.axis; ++i) {
    const double deviation = load_f32(args.x, args.dtype, first + i * args.inner) - mean;
    squares += deviation * deviation;
  }
  return std::sqrt(squares / (count - 1.0));
}

}  // namespace

void reduce(const ReduceArgs& args) {
  for (long long o = 0; o < args.outer; ++o)
    for (long long i = 0; i < args.inner; ++i)
      store_f32(args.out, args.out_dtype, o * args.inner + i,
                static_cast<float>(reduce_one(args, o * args.axis * args.inner + i)));
}

}  // namespace framepack::oracle
