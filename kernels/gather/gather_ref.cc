#include "gather_ref.h"

#include <cstring>

#include "../../native/core/dtype.h"

namespace framepack::oracle {

void embedding(const EmbeddingArgs& args) {
  for (long long l = 0; l < args.tokens; ++l)
    for (long long d = 0; d < args.width; ++d)
      store_f32(args.out, args.out_dtype, l * args.width + d,
                load_f32(args.table, args.table_dtype, args.ids[l] * args.width + d));
}

void upsample(const UpsampleArgs& args) {
  const long long frames = args.factor[0] == 2 ? 2 * args.extent[0] - 1 : args.extent[0];
  const long long height = args.extent[1] * args.factor[1];
  const long long width = args.extent[2] * args.factor[2];
  long long index = 0;
  for (long long b = 0; b < args.batch; ++b)
    for (long long t = 0; t < frames; ++t)
      for (long long y = 0; y < height; ++y)
        for (long long x = 0; x < width; ++x)
          for (long long c = 0; c < args.channels; ++c, ++index) {
            const long long frame = args.factor[0] == 2 ? (t == 0 ? 0 : 1 + (t - 1) / 2) : t;
            const long long from =
                (((b * args.extent[0] + frame) * args.extent[1] + y / args.factor[1]) *
                     args.extent[2] +
                 x / args.factor[2]) *
                    args.channels +
                c;
            store_f32(args.out, args.dtype, index, load_f32(args.x, args.dtype, from));
          }
}

void indexed(const IndexedArgs& args) {
  const auto size = static_cast<size_t>(size_of(args.dtype));
  long long count = 1;
  for (long long axis = 0; axis < args.rank; ++axis) count *= args.shape[axis];
  for (long long i = 0; i < count; ++i) {
    long long rest = i, x_at = 0, index_at = 0, out_at = 0;
    for (long long axis = args.rank - 1; axis >= 0; --axis) {
      const long long position = rest % args.shape[axis];
      rest /= args.shape[axis];
      x_at += position * args.x_stride[axis];
      index_at += position * args.index_stride[axis];
      out_at += position * args.out_stride[axis];
    }
    const long long index = args.indices[index_at];
    const bool exists = index >= 0 && index < args.axis;
    (args.is_scatter ? out_at : x_at) += exists ? index * args.axis_stride : 0;
    char* out = static_cast<char*>(args.out) + static_cast<size_t>(out_at) * size;
    if (exists) {
      std::memcpy(out, static_cast<const char*>(args.x) + static_cast<size_t>(x_at) * size, size);
    } else if (!args.is_scatter) {
      std::memset(out, 0, size);
    }
  }
}

}  // namespace framepack::oracle
