// Reductions over rows: each column is summed in f64 by one lane, top to bottom.
#pragma once
#include "lanes.h"

namespace framepack::cpu::isa {
namespace {

// f64 halves of one vector of columns.
struct Halves {
  Double low, high;
};

inline Halves halves(Float x) { return {low_double(x), high_double(x)}; }

inline Halves load_halves(const double* x, int count) {
  double lanes[kLanes] = {};
  for (int i = 0; i < count; ++i) lanes[i] = x[i];
  Halves result;
  __builtin_memcpy(&result, lanes, sizeof(lanes));
  return result;
}

inline void store_halves(const Halves& x, double* out, int count) {
  double lanes[kLanes];
  __builtin_memcpy(lanes, &x, sizeof(lanes));
  for (int i = 0; i < count; ++i) out[i] = lanes[i];
}

// Adds term(column, row offset) of every row to args.first.
template <class Term>
inline void sum_columns(const ReduceColumns& args, Term term) {
  for_lanes(args.columns, [=](long long column, int n) {
    Halves sum = load_halves(args.first + column, n);
    for (long long row = 0; row < args.rows; ++row) {
      const Halves value = halves(term(row * args.row_stride + column, n));
      sum.low += value.low;
      sum.high += value.high;
    }
    store_halves(sum, args.first + column, n);
  });
}

void moment_columns(const ReduceColumns& args) {
  for_lanes(args.columns, [=](long long column, int n) {
    Halves sum = load_halves(args.first + column, n);
    Halves squares = load_halves(args.second + column, n);
    const Halves shift = halves(load(args.shift + column, n));
    for (long long row = 0; row < args.rows; ++row) {
      const Halves value = halves(load(args.x + row * args.row_stride + column, n));
      const Double low = value.low - shift.low, high = value.high - shift.high;
      sum.low += low;
      sum.high += high;
      squares.low += low * low;
      squares.high += high * high;
    }
    store_halves(sum, args.first + column, n);
    store_halves(squares, args.second + column, n);
  });
}

// A NaN never compares greater, so it is passed over.
inline Float larger(Float candidate, Float best) { return candidate > best ? candidate : best; }

void largest_columns(const ReduceColumns& args) {
  for_lanes(args.columns, [=](long long column, int n) {
    Float best{};
    for (long long row = 0; row < args.rows; ++row)
      best = larger(absolute(load(args.x + row * args.row_stride + column, n)), best);
    const Halves before = load_halves(args.first + column, n);
    Halves result = halves(best);
    result.low = result.low > before.low ? result.low : before.low;
    result.high = result.high > before.high ? result.high : before.high;
    store_halves(result, args.first + column, n);
  });
}

// The largest of sign * x; the first NaN of a column stays.
void extreme_columns(const ReduceColumns& args, float sign) {
  for_lanes(args.columns, [=](long long column, int n) {
    Halves best = load_halves(args.first + column, n);
    const auto take = [](Double& before, const Double& value) {
      before = ((value > before) | (value != value)) ? value : before;
    };
    for (long long row = 0; row < args.rows; ++row) {
      const Halves value = halves(load(args.x + row * args.row_stride + column, n) * sign);
      take(best.low, value.low);
      take(best.high, value.high);
    }
    store_halves(best, args.first + column, n);
  });
}

void reduce_columns(const ReduceColumns& args) {
  const float* x = args.x;
  const float* y = args.y;
  switch (args.op) {
    case ReduceOp::kSum:
    case ReduceOp::kMean:
      return sum_columns(args, [=](long long i, int n) { return load(x + i, n); });
    case ReduceOp::kAbsMean:
      return sum_columns(args, [=](long long i, int n) {
        return absolute(y ? load(x + i, n) - load(y + i, n) : load(x + i, n));
      });
    case ReduceOp::kStd: return moment_columns(args);
    case ReduceOp::kMaxAbs: return largest_columns(args);
    case ReduceOp::kMax: return extreme_columns(args, 1.0f);
    case ReduceOp::kMin: return extreme_columns(args, -1.0f);
    case ReduceOp::kCountNonFinite:
      return sum_columns(args, [=](long long i, int n) {
        return (as_int(load(x + i, n)) & 0x7f800000) == 0x7f800000 ? splat(1.0f) : Float{};
      });
  }
}

// Four vectors side by side hide the latency of the additions. The rest of a row is padded with
// shift, which adds nothing to either sum.
void moments(const float* x, long long count, float shift, double result[2]) {
  constexpr int kVectors = 4;
  Double sum[2 * kVectors] = {}, squares[2 * kVectors] = {};
  const Double offset = Double{} + static_cast<double>(shift);
  const auto add = [&](int vector, Float value) {
    const Double low = low_double(value) - offset, high = high_double(value) - offset;
    sum[2 * vector] += low;
    sum[2 * vector + 1] += high;
    squares[2 * vector] += low * low;
    squares[2 * vector + 1] += high * high;
  };
  long long i = 0;
  for (; i + kVectors * kLanes <= count; i += kVectors * kLanes)
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) add(v, load(x + i + v * kLanes, kLanes));
  for (; i < count; i += kLanes) {
    const int n = count - i < kLanes ? static_cast<int>(count - i) : kLanes;
    Float value = splat(shift);
    for (int lane = 0; lane < n; ++lane) value[lane] = x[i + lane];
    add(0, value);
  }
  Double all_sums{}, all_squares{};
  for (int v = 0; v < 2 * kVectors; ++v) {
    all_sums += sum[v];
    all_squares += squares[v];
  }
  result[0] = result[1] = 0;
  for (int lane = 0; lane < kLanes / 2; ++lane) {
    result[0] += all_sums[lane];
    result[1] += all_squares[lane];
  }
}

float max_absolute(const float* x, long long count) {
  Float best{};
  for_lanes(count, [&](long long i, int n) { best = larger(absolute(load(x + i, n)), best); });
  float result = 0;
  for (int lane = 0; lane < kLanes; ++lane) result = best[lane] > result ? best[lane] : result;
  return result;
}

}  // namespace
}  // namespace framepack::cpu::isa
