// Packing of weight rows into panels: widen eight rows into a stage in L1, then transpose 8 x 8 dwords
// at a time; rows that need no widening are transposed where they lie. simd_<isa>.h must be included first.
#pragma once
#include "../kernel_table.h"
#include "../vector/convert.h"
#include "../vector/transpose.h"

namespace framepack::cpu::isa {
namespace {

constexpr int kStageRows = 8;
constexpr int kStageK = kScaleBlock;
// Panels of at most so many columns are so wide: one vector, where it has room for a stage.
constexpr int kNarrowPanel = kLanes < kStageRows ? kStageRows : kLanes;

template <DType kType>
inline Float load_as(const void* data, long long index, int count) {
  if constexpr (kType == DType::kF32) {
    return load(static_cast<const float*>(data) + index, count);
  } else if constexpr (kType == DType::kF16) {
    return load_f16(static_cast<const unsigned short*>(data) + index, count);
  } else if constexpr (kType == DType::kBf16) {
    return as_float(load_int(static_cast<const unsigned short*>(data) + index, count) << 16);
  } else {
    return from_f8(load_int(static_cast<const unsigned char*>(data) + index, count));
  }
}

// Element types of a stage. kDwordK elements make one dword of the panel.
struct F32Stage {
  using Element = float;
  static constexpr DType kType = DType::kF32;
  static constexpr int kDwordK = 1;
  static void put(Float x, Element* out, int count) { store(x, out, count); }
};

struct Bf16Stage {
  using Element = unsigned short;
  static constexpr DType kType = DType::kBf16;
  static constexpr int kDwordK = 2;
  static void put(Float x, Element* out, int count) { store_int(to_bf16(x), out, count); }
  static Int bits(Float x) { return to_bf16(x) & 0xffff; }
};

template <class Stage, DType kType>
inline void stage_row(const ColumnSource& source, int column, long long k, int count,
                      typename Stage::Element* out) {
  const long long begin = column * source.row_stride + k;
  if (source.block_scale) {
    const float scale = source.block_scale[column * source.block_scale_stride + k / kScaleBlock];
    for_lanes(count, [=](long long i, int n) {
      Stage::put(load_as<kType>(source.data, begin + i, n) * scale, out + i, n);
    });
  } else {
    for_lanes(count, [=](long long i, int n) {
      Stage::put(load_as<kType>(source.data, begin + i, n), out + i, n);
    });
  }
}

// Fills rows [0, 8) of the stage with columns `first` .. `first` + 7. What does not exist is zero, up
// to the next multiple of 32 k.
template <class Stage, DType kType>
inline void fill_stage(const ColumnSource& source, int first, long long k, int count,
                       typename Stage::Element (*stage)[kStageK]) {
  for (int r = 0; r < kStageRows; ++r) {
    const bool exists = first + r < source.columns;
    if (exists) stage_row<Stage, kType>(source, first + r, k, count, stage[r]);
    const int begin = exists ? count : 0, end = (count + 31) / 32 * 32;
    for (int i = begin; i < end; ++i) stage[r][i] = 0;
  }
}

// Eight rows of a stretch of k, as dwords.
struct StagedRows {
  const Long* data;
  long long stride;
};

// The rows where they lie, when their numbers are the stage's own; else in the stage.
template <class Stage, DType kType>
inline StagedRows stage_rows(const ColumnSource& source, int first, long long k, int count,
                             typename Stage::Element (*stage)[kStageK]) {
  if constexpr (kType == Stage::kType) {
    const bool is_whole = count == kStageK && first + kStageRows <= source.columns;
    if (is_whole && !source.block_scale && source.row_stride % Stage::kDwordK == 0) {
      const auto* x = static_cast<const typename Stage::Element*>(source.data);
      return {reinterpret_cast<const Long*>(x + first * source.row_stride + k),
              source.row_stride / Stage::kDwordK};
    }
  }
  fill_stage<Stage, kType>(source, first, k, count, stage);
  return {reinterpret_cast<const Long*>(stage), kStageK / Stage::kDwordK};
}

inline void transpose_rows(const StagedRows& rows, int dwords, Long* out, long long out_stride) {
  int d = 0;
  for (; d + 8 <= dwords; d += 8) {
    transpose_block(rows.data + d, rows.stride, out + d * out_stride, out_stride);
  }
  if (d == dwords) return;
  alignas(32) Long rest[8 * kStageRows];
  transpose_block(rows.data + d, rows.stride, rest, kStageRows);
  for (int i = 0; d + i < dwords; ++i) {
    __builtin_memcpy(out + (d + i) * out_stride, rest + i * kStageRows, 4 * kStageRows);
  }
}

template <class Stage, DType kType>
inline void pack_panel_as(const ColumnSource& source, int width, long long k, void* panel) {
  alignas(64) typename Stage::Element stage[kStageRows][kStageK];
  for (int first = 0; first < width; first += kStageRows) {
    for (long long begin = 0; begin < k; begin += kStageK) {
      const int count = static_cast<int>(k - begin < kStageK ? k - begin : kStageK);
      const StagedRows rows = stage_rows<Stage, kType>(source, first, begin, count, stage);
      const int dwords = (count + Stage::kDwordK - 1) / Stage::kDwordK;
      transpose_rows(rows, dwords,
                     static_cast<Long*>(panel) + begin / Stage::kDwordK * width + first, width);
    }
  }
}

template <class Stage>
inline void pack_panel(const ColumnSource& source, long long k, void* panel, float*) {
  const int width = source.columns <= kNarrowPanel ? kNarrowPanel : 2 * kLanes;
  switch (source.dtype) {
    case DType::kF16: return pack_panel_as<Stage, DType::kF16>(source, width, k, panel);
    case DType::kBf16: return pack_panel_as<Stage, DType::kBf16>(source, width, k, panel);
    case DType::kF8E4M3: return pack_panel_as<Stage, DType::kF8E4M3>(source, width, k, panel);
    default: return pack_panel_as<Stage, DType::kF32>(source, width, k, panel);
  }
}

// Two rows of f32 numbers as one row of pairs of 16 bits; the second row is zero where it does not exist.
template <class Stage>
inline void round_row_pair(const float* rows, bool has_second, int width, float* pairs) {
  for (int lane = 0; lane < width; lane += kLanes) {
    const Float second = has_second ? load(rows + width + lane, kLanes) : Float{};
    const Int low = Stage::bits(load(rows + lane, kLanes));
    store(as_float(low | Stage::bits(second) << 16), pairs + lane, kLanes);
  }
}

// Rows 2 j and 2 j + 1 become the halves of one dword: a shift and an or within the lane.
template <class Stage>
inline void round_pairs(const float* numbers, long long k, int width, void* panel, float*) {
  for (long long row = 0; row < k; row += 2) {
    round_row_pair<Stage>(numbers + row * width, row + 1 < k, width,
                          static_cast<float*>(panel) + row / 2 * width);
  }
}

}  // namespace
}  // namespace framepack::cpu::isa
