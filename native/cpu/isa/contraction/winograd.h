// The transforms of Winograd's minimal filtering F(2 x 2, 3 x 3) (Lavin and Gray 2015, "Fast
// Algorithms for Convolutional Neural Networks", section 4.1). A tile of 2 x 2 outputs is
//
//   A^T [ (G g G^T) * (B^T d B) ] A      g: 3 x 3 taps, d: 4 x 4 pixels, *: 16 separate products
//
// where every product is summed over channels before A: 16 multiplications in place of 36.
#pragma once
#include "panel.h"

namespace framepack::cpu::isa {
namespace {

template <class Stage, DType kType>
inline void winograd_input_as(const WinogradInput& args) {
  const Float row_sign = splat(args.row_sign), column_sign = splat(args.column_sign);
  for (long long tile = 0; tile < args.tiles; ++tile) {
    const void* const* pixels = args.pixels + 16 * tile;
    const void* p[4];
    for (int i = 0; i < 4; ++i) p[i] = pixels[args.corners[i]];
    auto* out = static_cast<typename Stage::Element*>(args.out) + tile * args.out_stride;
    for_lanes(args.channels, [=, &p](long long i, int n) {
      const Float first = fma(column_sign, load_as<kType>(p[1], i, n), load_as<kType>(p[0], i, n));
      const Float second = fma(column_sign, load_as<kType>(p[3], i, n), load_as<kType>(p[2], i, n));
      Stage::put(fma(row_sign, second, first), out + i, n);
    });
  }
}

template <class Stage>
inline void winograd_input(const WinogradInput& args) {
  switch (args.dtype) {
    case DType::kF16: return winograd_input_as<Stage, DType::kF16>(args);
    case DType::kBf16: return winograd_input_as<Stage, DType::kBf16>(args);
    default: return winograd_input_as<Stage, DType::kF32>(args);
  }
}

// G x for three taps a stride apart.
struct FilterColumn {
  Float at[4];
};
inline FilterColumn filter_column(Float first, Float second, Float third) {
  const Float ends = first + third;
  return {{first, (ends + second) * 0.5f, (ends - second) * 0.5f, third}};
}

inline void winograd_weight(const float* taps, long long channels, float* out,
                            long long out_stride) {
  for_lanes(channels, [=](long long i, int n) {
    const auto tap = [&](int row, int column) {
      return load(taps + (row * 3 + column) * channels + i, n);
    };
    FilterColumn columns[3];
    for (int column = 0; column < 3; ++column) {
      columns[column] = filter_column(tap(0, column), tap(1, column), tap(2, column));
    }
    for (int row = 0; row < 4; ++row) {
      const FilterColumn product =
          filter_column(columns[0].at[row], columns[1].at[row], columns[2].at[row]);
      for (int column = 0; column < 4; ++column) {
        store(product.at[column], out + (row * 4 + column) * out_stride + i, n);
      }
    }
  });
}

inline void winograd_output(const float* products, long long tiles, int width, float even_sign,
                            float odd_sign, float* out) {
  const auto add = [=](float sign, float* pixel) {
    for (long long tile = 0; tile < tiles; ++tile) {
      for (int lane = 0; lane < width; lane += kLanes) {
        float* sum = pixel + 2 * tile * width + lane;
        const Float product = load(products + tile * width + lane, kLanes);
        store(fma(splat(sign), product, load(sum, kLanes)), sum, kLanes);
      }
    }
  };
  if (even_sign != 0) add(even_sign, out);
  if (odd_sign != 0) add(odd_sign, out + width);
}

}  // namespace
}  // namespace framepack::cpu::isa
