// The register tile of every product: kRows broadcast elements of a times kVectors vectors of b.
//
// AVX2 6 x 16 keeps 12 sums, 2 vectors of b and one element of a in 16 registers; AVX-512 14 x 32
// keeps 28 + 2 + 1 of 32. NEON 10 x 8 keeps 20 + 2 and loads its ten elements of a ahead; g++ 12 spills
// with one row more. `a` is not packed into panels: its rows are read where they lie, so a convolution
// needs no im2col, and eight registers address fourteen rows (see Rows).
#pragma once
#include "../kernel_table.h"
#include "../vector/lanes.h"

namespace framepack::cpu::isa {
namespace {

constexpr int kTileRows = kLanes == 4 ? 10 : kLanes == 8 ? 6 : 14;

// Addresses row + i * stride for i < 14 as row + {1, 2, 4, 8} * {stride, 3 stride, 5 stride, ...}:
// each is one addressing mode.
template <class Element>
class Rows {
 public:
  explicit Rows(long long stride)
      : s1_(stride * static_cast<long long>(sizeof(Element))),
        s3_(3 * s1_),
        s5_(5 * s1_),
        s7_(7 * s1_),
        s9_(9 * s1_),
        s11_(11 * s1_),
        s13_(13 * s1_) {}

  template <int kRow>
  const Element* at(const Element* row) const {
    const auto* bytes = reinterpret_cast<const char*>(row);
    return reinterpret_cast<const Element*>(bytes + offset<kRow>());
  }

 private:
  template <int kRow>
  long long offset() const {
    if constexpr (kRow == 0) {
      return 0;
    } else if constexpr (kRow % 2 == 0) {
      return 2 * offset<kRow / 2>();
    } else if constexpr (kRow == 1) {
      return s1_;
    } else if constexpr (kRow == 3) {
      return s3_;
    } else if constexpr (kRow == 5) {
      return s5_;
    } else if constexpr (kRow == 7) {
      return s7_;
    } else if constexpr (kRow == 9) {
      return s9_;
    } else if constexpr (kRow == 11) {
      return s11_;
    } else {
      return s13_;
    }
  }

  long long s1_, s3_, s5_, s7_, s9_, s11_, s13_;
};

// Multiplies f32 elements, one k per step.
struct F32Multiply {
  using Element = float;
  using Sum = Float;
  static constexpr int kStep = 1;
  using Operand = Float;
  static Operand load_b(const Element* p) { return load(p, kLanes); }
  // x - 0 is x for every x, so this is a broadcast and nothing else.
  static Operand broadcast(const Element* p) { return *p - Float{}; }
  static Float add(Operand a, Operand b, Float c) { return fma(a, b, c); }
};

// sums += the next `k` of a times those of the panel; both pointers move on.
template <class Multiply, int kRows, int kVectors>
struct TileSums {
  using Element = typename Multiply::Element;
  using Operand = typename Multiply::Operand;
  using Sum = typename Multiply::Sum;

  template <int kRow>
  static inline __attribute__((always_inline)) void multiply_rows(Sum (&sums)[kRows][kVectors],
                                                                  const Rows<Element>& rows,
                                                                  const Element* a,
                                                                  const Operand (&b)[kVectors]) {
    if constexpr (kRow < kRows) {
      const Operand x = Multiply::broadcast(rows.template at<kRow>(a));
      for (int v = 0; v < kVectors; ++v) sums[kRow][v] = Multiply::add(x, b[v], sums[kRow][v]);
      multiply_rows<kRow + 1>(sums, rows, a, b);
    }
  }

  static inline __attribute__((always_inline)) void add(Sum (&sums)[kRows][kVectors],
                                                        const Rows<Element>& rows, long long k,
                                                        long long a_step, const Element*& a,
                                                        const Element*& panel) {
    for (long long i = 0; i < k; i += Multiply::kStep) {
      Operand b[kVectors];
      for (int v = 0; v < kVectors; ++v) {
        b[v] = Multiply::load_b(panel + v * kLanes * Multiply::kStep);
      }
      multiply_rows<0>(sums, rows, a, b);
      a += a_step;
      panel += kVectors * kLanes * Multiply::kStep;
    }
  }
};

// All of the reduction in registers.
template <class Multiply, int kRows, int kVectors>
struct Tile {
  using Element = typename Multiply::Element;

  static void run(const TileArgs& args) {
    Float sums[kRows][kVectors] = {};
    const Rows<Element> rows(args.a_row_stride);
    const long long a_step = args.a_k_stride * Multiply::kStep;
    const auto* panel = static_cast<const Element*>(args.panel);
    for (long long s = 0; s < args.segments; ++s) {
      const Element* a = static_cast<const Element*>(args.a) + args.offsets[s];
      TileSums<Multiply, kRows, kVectors>::add(sums, rows, args.k, a_step, a, panel);
    }
#pragma GCC unroll 14
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        float* c = args.c + i * args.c_stride + v * kLanes;
        // Earlier passes join last: partial sums of equal length lose fewer bits than one long sum.
        store(args.accumulates ? load(c, kLanes) + sums[i][v] : sums[i][v], c, kLanes);
      }
    }
  }
};

// Finds the tile of the right height: kRows, kRows - 1, ... 1.
template <template <class, int, int> class TileOf, class Multiply, int kRows>
inline void run_tile(const TileArgs& args) {
  if constexpr (kRows > 0) {
    if (args.rows < kRows) return run_tile<TileOf, Multiply, kRows - 1>(args);
    if (args.width == kLanes) return TileOf<Multiply, kRows, 1>::run(args);
    return TileOf<Multiply, kRows, 2>::run(args);
  }
}

template <class Multiply>
inline void tile(const TileArgs& args) {
  run_tile<Tile, Multiply, kTileRows>(args);
}

}  // namespace
}  // namespace framepack::cpu::isa
