// copy  out[i...] = convert(x[i...])        fill  out[i] = convert(value)
//
// Kernels    copy_16_byte               equal dtypes that run side by side, in 16-byte pieces
//            copy_convert               any dtypes that run side by side, 4 elements per thread
//            copy_transpose_<n>_bit     x runs along one axis, out along another: tiles through shared
//                                       memory
//            copy_any                   one element per thread: any strides, any dtypes
//            fill_16_byte, fill_any
// Layout     any strides, at most 6 axes; the plan sorts them by the strides of out and merges them.
// Mapping    threads in the order of out. Transposes: grid x over all outer axes, y over tiles of rows
//            (the axis of out), z over tiles of columns (the axis of x); the kernel divides both axes
//            evenly over the grid. A tile takes whole lines of x if its columns are few, so [.., 3]
//            pictures are read without gaps.
// Shared     transposes: columns x (rows + padding) elements, 16.6 KB. The padding shifts a column by
//            as many banks as 32 lanes span rows, so that neither the writes (32 consecutive elements
//            of x) nor the reads collide.
// Numerics   bit for bit what the host does: exact.cuh.
// Cost       every element is read once and written once: bound by memory.
#include "../device/axes.cuh"
#include "copy_config.h"
#include "exact.cuh"

namespace framepack {
namespace {

// Offsets into x and out.
FP_DEVICE Offsets<2> copy_offsets(const CopyArgs& args, int step) {
  const long long* const strides[2] = {args.x_stride, args.out_stride};
  return offsets_of(global_thread(), step, args.shape, strides);
}

FP_DEVICE void copy_16_byte(const CopyArgs& args) {
  const int bytes = exact::bytes_of(args.x_dtype);
  const Offsets<2> offsets = copy_offsets(args, 16 / bytes);
  if (!offsets.exists) return;
  const char* x = static_cast<const char*>(args.x) + offsets.at[0] * bytes;
  char* out = static_cast<char*>(args.out) + offsets.at[1] * bytes;
  *reinterpret_cast<uint4*>(out) = *reinterpret_cast<const uint4*>(x);
}

FP_DEVICE void copy_convert(const CopyArgs& args) {
  const int x_bytes = exact::bytes_of(args.x_dtype), out_bytes = exact::bytes_of(args.out_dtype);
  const Offsets<2> offsets = copy_offsets(args, kConvertVector);
  if (!offsets.exists) return;
  const long long left = args.shape[kCopyMaxRank - 1] - offsets.inner;
  if (left < kConvertVector) {
    for (int i = 0; i < left; ++i) {
      const uint32_t bits = exact::load_bits(args.x, x_bytes, offsets.at[0] + i);
      exact::store_bits(args.out, out_bytes, offsets.at[1] + i,
                        exact::convert(bits, args.x_dtype, args.out_dtype));
    }
    return;
  }
  uint32_t bits[kConvertVector];
  exact::load_four(bits, args.x, x_bytes, offsets.at[0] / kConvertVector);
#pragma unroll
  for (int i = 0; i < kConvertVector; ++i) {
    bits[i] = exact::convert(bits[i], args.x_dtype, args.out_dtype);
  }
  exact::store_four(args.out, out_bytes, offsets.at[1] / kConvertVector, bits);
}

FP_DEVICE void copy_any(const CopyArgs& args) {
  const Offsets<2> offsets = copy_offsets(args, 1);
  if (!offsets.exists) return;
  const uint32_t bits = exact::load_bits(args.x, exact::bytes_of(args.x_dtype), offsets.at[0]);
  exact::store_bits(args.out, exact::bytes_of(args.out_dtype), offsets.at[1],
                    exact::convert(bits, args.x_dtype, args.out_dtype));
}

// One tile of one pair of axes. Rows run along out, columns along x.
template <class Bits>
FP_DEVICE void copy_transpose(const CopyArgs& args) {
  constexpr int kPerWord = 4 / sizeof(Bits), kLine = kTransposeLine / sizeof(Bits);
  constexpr int kRowAxis = kCopyMaxRank - 1, kColumnAxis = kCopyMaxRank - 2;
  __shared__ Bits tile[(kTransposeBytes / 4 + 32 + kTransposeLine) * kPerWord];
  const int all_rows = static_cast<int>(args.shape[kRowAxis]);
  const int all_columns = static_cast<int>(args.shape[kColumnAxis]);
  const int columns_per_tile = (all_columns + gridDim.z - 1) / gridDim.z;
  const int rows_per_tile = ((all_rows + gridDim.y - 1) / gridDim.y + kLine - 1) / kLine * kLine;
  const int first_row = blockIdx.y * rows_per_tile, first_column = blockIdx.z * columns_per_tile;
  const int rows = min(rows_per_tile, all_rows - first_row);
  const int columns = min(columns_per_tile, all_columns - first_column);
  const int pitch = rows_per_tile + (31 + columns_per_tile) / columns_per_tile * kPerWord;
  if (rows <= 0 || columns <= 0) return;

  unsigned long long outer = blockIdx.x;
  long long x_at = first_row * args.x_stride[kRowAxis] + first_column;
  long long out_at = first_row + first_column * args.out_stride[kColumnAxis];
#pragma unroll
  for (int axis = kColumnAxis - 1; axis >= 0; --axis) {
    const long long i = static_cast<long long>(split_index(outer, args.shape[axis]));
    x_at += i * args.x_stride[axis];
    out_at += i * args.out_stride[axis];
  }
  const Bits* x = static_cast<const Bits*>(args.x) + x_at;
  Bits* out = static_cast<Bits*>(args.out) + out_at;
  for (int i = threadIdx.x; i < rows * columns; i += kCopyThreads) {
    const int row = i / columns, column = i - row * columns;
    tile[column * pitch + row] = x[row * args.x_stride[kRowAxis] + column];
  }
  __syncthreads();
  for (int i = threadIdx.x; i < rows * columns; i += kCopyThreads) {
    const int column = i / rows, row = i - column * rows;
    out[column * args.out_stride[kColumnAxis] + row] = tile[column * pitch + row];
  }
}

FP_DEVICE void fill_16_byte(const FillArgs& args) {
  const int bytes = exact::bytes_of(args.dtype), per_piece = 16 / bytes;
  const uint32_t bits = exact::narrow(args.value, args.dtype);
  const uint32_t word = bytes == 4 ? bits : bits * (bytes == 2 ? 0x00010001u : 0x01010101u);
  const long long piece = global_thread(), first = piece * per_piece;
  if (first + per_piece <= args.count) {
    static_cast<uint4*>(args.out)[piece] = {word, word, word, word};
  } else {
    for (long long i = first; i < args.count; ++i) exact::store_bits(args.out, bytes, i, bits);
  }
}

FP_DEVICE void fill_any(const FillArgs& args) {
  const long long i = global_thread();
  if (i >= args.count) return;
  exact::store_bits(args.out, exact::bytes_of(args.dtype), i,
                    exact::narrow(args.value, args.dtype));
}

}  // namespace
}  // namespace framepack

#define COPY_KERNEL(name, Args, function)                               \
  extern "C" __global__ void __launch_bounds__(framepack::kCopyThreads) \
      name(const framepack::Args args) {                                \
    framepack::function(args);                                          \
  }

COPY_KERNEL(copy_16_byte, CopyArgs, copy_16_byte)
COPY_KERNEL(copy_convert, CopyArgs, copy_convert)
COPY_KERNEL(copy_transpose_8_bit, CopyArgs, copy_transpose<uint8_t>)
COPY_KERNEL(copy_transpose_16_bit, CopyArgs, copy_transpose<uint16_t>)
COPY_KERNEL(copy_transpose_32_bit, CopyArgs, copy_transpose<uint32_t>)
COPY_KERNEL(copy_any, CopyArgs, copy_any)
COPY_KERNEL(fill_16_byte, FillArgs, fill_16_byte)
COPY_KERNEL(fill_any, FillArgs, fill_any)
#undef COPY_KERNEL
