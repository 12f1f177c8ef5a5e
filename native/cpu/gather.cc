#include "gather.h"

#include <cstring>

#include "../../kernels/gather/gather_ref.h"
#include "rows.h"
#include "strided.h"

namespace framepack::cpu {

void embedding(const EmbeddingArgs& args, const CpuContext& context) {
  if (!context.vector) return oracle::embedding(args);
  if (args.width == 0) return;
  const isa::VectorTable& vector = *context.vector;
  const size_t row_bytes = static_cast<size_t>(args.width) * sizeof(float);
  const auto body = [&](long long begin, long long end, int worker) {
    for (long long l = begin; l < end; ++l) {
      const long long from = args.ids[l] * args.width, to = l * args.width;
      if (args.table_dtype == args.out_dtype) {
        std::memcpy(element(args.out, args.out_dtype, to),
                    element(args.table, args.table_dtype, from),
                    static_cast<size_t>(args.width * size_of(args.out_dtype)));
        continue;
      }
      float* room = static_cast<float*>(context.scratch.of_worker(worker, row_bytes));
      const float* row = as_f32(vector, args.table, args.table_dtype, from, args.width, room);
      vector.narrow(row, element(args.out, args.out_dtype, to), args.out_dtype, args.width);
    }
  };
  parallel_ranges(context.pool, args.tokens, std::max(1LL, kGrain / args.width), body);
}

void upsample(const UpsampleArgs& args, const CpuContext& context) {
  if (!context.vector) return oracle::upsample(args);
  const bool doubles = args.factor[0] == 2;
  const long long frames = doubles ? 2 * args.extent[0] - 1 : args.extent[0];
  const long long height = args.extent[1] * args.factor[1];
  const long long width = args.extent[2] * args.factor[2];
  if (width * args.channels == 0) return;
  const size_t pixel = static_cast<size_t>(args.channels * size_of(args.dtype));
  const auto body = [&](long long begin, long long end, int) {
    for (long long row = begin; row < end; ++row) {
      const long long b = row / (frames * height), t = row / height % frames, y = row % height;
      const long long frame = doubles ? (t + 1) / 2 : t;
      const long long from =
          ((b * args.extent[0] + frame) * args.extent[1] + y / args.factor[1]) * args.extent[2];
      const char* x = static_cast<const char*>(args.x) + static_cast<size_t>(from) * pixel;
      char* out = static_cast<char*>(args.out) + static_cast<size_t>(row * width) * pixel;
      for (long long i = 0; i < args.extent[2]; ++i, x += pixel)
        for (long long copy = 0; copy < args.factor[2]; ++copy, out += pixel)
          std::memcpy(out, x, pixel);
    }
  };
  const long long grain = std::max(1LL, kGrain / (width * args.channels));
  parallel_ranges(context.pool, args.batch * frames * height, grain, body);
}

namespace {

enum Operand { kX, kIndex, kOut, kOperands };

template <class Piece>
void copy_indexed(const IndexedArgs& args, const StridedLoop<kOperands>& loop, long long outer) {
  long long at[kOperands];
  loop.locate(outer, at);
  const int inner = loop.rank - 1;
  for (long long i = 0; i < loop.inner(); ++i) {
    const long long index = args.indices[at[kIndex] + i * loop.stride[kIndex][inner]];
    const bool exists = index >= 0 && index < args.axis;
    const long long chosen = exists ? index * args.axis_stride : 0;
    const Piece* x = static_cast<const Piece*>(args.x) + at[kX] + i * loop.stride[kX][inner];
    Piece* out = static_cast<Piece*>(args.out) + at[kOut] + i * loop.stride[kOut][inner];
    if (args.is_scatter) {
      if (exists) out[chosen] = *x;
    } else {
      *out = exists ? x[chosen] : Piece{};
    }
  }
}

}  // namespace

void indexed(const IndexedArgs& args, const CpuContext& context) {
  if (!context.vector) return oracle::indexed(args);
  StridedLoop<kOperands> loop;
  loop.append(1, {1, 1, 1});
  for (long long axis = 0; axis < args.rank; ++axis)
    loop.append(args.shape[axis],
                {args.x_stride[axis], args.index_stride[axis], args.out_stride[axis]});
  const auto copy = size_of(args.dtype) == 4   ? copy_indexed<uint32_t>
                    : size_of(args.dtype) == 2 ? copy_indexed<uint16_t>
                                               : copy_indexed<uint8_t>;
  // Repeated indices of a scatter meet in one place, so one thread writes them all.
  const long long total = loop.outer();
  const long long grain =
      args.is_scatter ? total : std::max(1LL, kGrain / std::max(1LL, loop.inner()));
  parallel_ranges(context.pool, total, std::max(1LL, grain),
                  [&](long long begin, long long end, int) {
                    for (long long outer = begin; outer < end; ++outer) copy(args, loop, outer);
                  });
}

}  // namespace framepack::cpu
