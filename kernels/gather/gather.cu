// embedding  out[l, d] = table[ids[l], d]
// upsample   out[b, u, y, x, c] = in[b, frame(u), y / factor_y, x / factor_x, c]; with factor_t = 2
//            frame(0) = 0 and frame(u) = 1 + (u - 1) / 2: the first frame is not doubled
// indexed    out[.., a, ..] = x[.., indices[.., a, ..], ..], or the assignment the other way round
//
// Kernels    embedding_16_byte, upsample_16_byte   rows of channels in 16-byte pieces
//            embedding_any                          one element per thread, converted
//            upsample_<16|32>_bit                   one element per thread
//            indexed_<8|16|32>_bit                  one index per thread
// Layout     contiguous; the upsampling is channels last. Ids were checked by the caller. indexed takes any
//            strides; an index outside of the axis reads zero or writes nothing.
// Mapping    one piece or element per thread in the order of out: writes are whole lines, reads whole
//            rows.
// Numerics   moves bits; an embedding that changes dtype rounds once.
// Cost       upsampling writes factor_t factor_y factor_x times what it reads: bound by the writes.
#include "../device/axes.cuh"
#include "../device/convert.cuh"
#include "gather_config.h"

namespace framepack {
namespace {

FP_DEVICE void embedding_16_byte(const EmbeddingArgs& args) {
  const long long pieces = args.width * (args.table_dtype == DType::kF32 ? 4 : 2) / 16;
  const long long at = global_thread();
  unsigned long long token = at;
  const unsigned long long piece = split_index(token, pieces);
  if (token >= args.tokens) return;
  static_cast<uint4*>(args.out)[at] =
      static_cast<const uint4*>(args.table)[args.ids[token] * pieces + piece];
}

FP_DEVICE void embedding_any(const EmbeddingArgs& args) {
  const long long at = global_thread();
  unsigned long long token = at;
  const unsigned long long d = split_index(token, args.width);
  if (token >= args.tokens) return;
  store_element(args.out, args.out_dtype, at,
                load_element(args.table, args.table_dtype, args.ids[token] * args.width + d));
}

// Piece is uint4 or one element; a pixel has `pieces` of them.
template <class Piece>
FP_DEVICE void upsample(const UpsampleArgs& args, long long pieces) {
  const int doubles = args.factor[0] == 2;
  const long long frames = doubles ? 2 * args.extent[0] - 1 : args.extent[0];
  const long long at = global_thread();
  unsigned long long rest = at;
  const unsigned long long piece = split_index(rest, pieces);
  const unsigned x = split_index(rest, args.extent[2] * args.factor[2]);
  const unsigned y = split_index(rest, args.extent[1] * args.factor[1]);
  const unsigned u = split_index(rest, frames);
  if (rest >= args.batch) return;
  const unsigned frame = doubles && u > 0 ? 1 + (u - 1) / 2 : u;
  const long long line =
      (rest * args.extent[0] + frame) * args.extent[1] + y / static_cast<unsigned>(args.factor[1]);
  const long long pixel = line * args.extent[2] + x / static_cast<unsigned>(args.factor[2]);
  static_cast<Piece*>(args.out)[at] = static_cast<const Piece*>(args.x)[pixel * pieces + piece];
}

template <class Piece>
FP_DEVICE void indexed(const IndexedArgs& args) {
  const long long* const strides[3] = {args.x_stride, args.index_stride, args.out_stride};
  const Offsets<3> offsets = offsets_of(global_thread(), 1, args.shape, strides);
  if (!offsets.exists) return;
  const long long index = args.indices[offsets.at[1]];
  const bool exists = index >= 0 && index < args.axis;
  const long long chosen = exists ? index * args.axis_stride : 0;
  const Piece* x = static_cast<const Piece*>(args.x) + offsets.at[0];
  Piece* out = static_cast<Piece*>(args.out) + offsets.at[2];
  if (args.is_scatter) {
    if (exists) out[chosen] = *x;
  } else {
    *out = exists ? x[chosen] : Piece{};
  }
}

}  // namespace
}  // namespace framepack

#define GATHER_KERNEL(name, Args, ...)                                    \
  extern "C" __global__ void __launch_bounds__(framepack::kGatherThreads) \
      name(const framepack::Args args) {                                  \
    framepack::__VA_ARGS__;                                               \
  }

GATHER_KERNEL(embedding_16_byte, EmbeddingArgs, embedding_16_byte(args))
GATHER_KERNEL(embedding_any, EmbeddingArgs, embedding_any(args))
GATHER_KERNEL(upsample_16_byte, UpsampleArgs,
              upsample<uint4>(args,
                              args.channels*(args.dtype == framepack::DType::kF32 ? 4 : 2) / 16))
GATHER_KERNEL(upsample_32_bit, UpsampleArgs, upsample<uint32_t>(args, args.channels))
GATHER_KERNEL(upsample_16_bit, UpsampleArgs, upsample<uint16_t>(args, args.channels))
GATHER_KERNEL(indexed_32_bit, IndexedArgs, indexed<uint32_t>(args))
GATHER_KERNEL(indexed_16_bit, IndexedArgs, indexed<uint16_t>(args))
GATHER_KERNEL(indexed_8_bit, IndexedArgs, indexed<uint8_t>(args))
#undef GATHER_KERNEL
