#include "scan.h"

#include <cmath>
#include <cstring>
#include <functional>

#include "../../kernels/scan/scan_ref.h"
#include "../core/dtype.h"
#include "rows.h"

namespace framepack::cpu {

namespace {

// Calls body(outer, inner, worker) for every line, on all threads.
template <class Args, class Body>
void each_line(const Args& args, const CpuContext& context, Body body) {
  const long long grain = std::max(1LL, kGrain / std::max(1LL, args.axis));
  parallel_ranges(context.pool, args.outer * args.inner, grain,
                  [&](long long begin, long long end, int worker) {
                    for (long long line = begin; line < end; ++line)
                      body(line / args.inner, line % args.inner, worker);
                  });
}

// Larger for what comes first: the value in an order of whole numbers, then the smaller index.
uint64_t order_key(float value, long long index, bool is_largest) {
  const uint32_t bits = bits_of(value + 0.0f);  // -0 becomes 0
  uint32_t order = bits >> 31 ? ~bits : bits | 0x80000000u;
  if (std::isnan(value)) order = 0xffffffffu;
  if (!is_largest) order = ~order;
  return uint64_t{order} << 32 | static_cast<uint32_t>(~index);
}

}  // namespace

void cumsum(const CumsumArgs& args, const CpuContext& context) {
  if (!context.vector) return oracle::cumsum(args);
  each_line(args, context, [&](long long outer, long long inner, int) {
    double sum = 0;
    for (long long a = 0; a < args.axis; ++a) {
      const long long at = (outer * args.axis + a) * args.inner + inner;
      sum += load_f32(args.x, args.dtype, at);
      store_f32(args.out, args.out_dtype, at, static_cast<float>(sum));
    }
  });
}

void top_k(const TopKArgs& args, const CpuContext& context) {
  if (!context.vector) return oracle::top_k(args);
  const auto count = static_cast<size_t>(args.axis);
  const size_t size = static_cast<size_t>(size_of(args.dtype));
  each_line(args, context, [&](long long outer, long long inner, int worker) {
    auto* keys =
        static_cast<uint64_t*>(context.scratch.of_worker(worker, count * sizeof(uint64_t)));
    const auto place = [&](long long a) { return (outer * args.axis + a) * args.inner + inner; };
    for (long long a = 0; a < args.axis; ++a)
      keys[a] = order_key(load_f32(args.x, args.dtype, place(a)), a, args.is_largest);
    std::partial_sort(keys, keys + args.k, keys + args.axis, std::greater<>());
    for (long long rank = 0; rank < args.k; ++rank) {
      const long long to = (outer * args.k + rank) * args.inner + inner;
      const uint32_t index = ~static_cast<uint32_t>(keys[rank]);
      args.indices[to] = static_cast<int>(index);
      std::memcpy(element(args.values, args.dtype, to), element(args.x, args.dtype, place(index)),
                  size);
    }
  });
}

}  // namespace framepack::cpu
