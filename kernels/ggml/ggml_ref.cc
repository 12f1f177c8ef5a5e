#include "ggml_ref.h"

#include <cstring>

#include "../../native/core/dtype.h"

// The formats are those of ggml-common.h and ggml-quants.c of https://github.com/ggml-org/ggml; the loops walk the
// fields of a block in the order in which they are stored.
namespace framepack::oracle {
namespace {

float half_at(const uint8_t* bytes) {
  uint16_t bits;
  std::memcpy(&bits, bytes, sizeof bits);
  return f16_to_f32(bits);
}

// Q4_0, Q4_1, Q5_0, Q5_1: scale, offset for _1, fifth bits for Q5, then 16 bytes; byte i holds elements i and i + 16.
void small_block(const uint8_t* block, bool has_offset, bool has_fifth_bit, float* out) {
  const float scale = half_at(block);
  const float offset = has_offset ? half_at(block + 2) : 0.0f;
  const uint8_t* fifth_bits = block + (has_offset ? 4 : 2);
  const uint8_t* codes = fifth_bits + (has_fifth_bit ? 4 : 0);
  const int middle = has_offset ? 0 : has_fifth_bit ? 16 : 8;
  for (int i = 0; i < 32; ++i) {
    int code = i < 16 ? codes[i] & 15 : codes[i - 16] >> 4;
    if (has_fifth_bit) code |= (fifth_bits[i / 8] >> i % 8 & 1) << 4;
    out[i] = scale * static_cast<float>(code - middle);
    if (has_offset) out[i] += offset;
  }
}

void q8_0_block(const uint8_t* block, float* out) {
  const float scale = half_at(block);
  for (int i = 0; i < 32; ++i) {
    out[i] = scale * static_cast<float>(static_cast<int8_t>(block[2 + i]));
  }
}

struct SmallScale {
  int scale, offset;
};

// Scale and offset of sub-block 0 .. 7, 6 bits each, in 12 bytes: four of each in the low bits of bytes 0 .. 7, the
// others in nibbles of the last bytes with their two high bits above the first ones.
SmallScale small_scale(const uint8_t* packed, int sub_block) {
  if (sub_block < 4) return {packed[sub_block] & 63, packed[sub_block + 4] & 63};
  return {(packed[sub_block + 4] & 15) | packed[sub_block - 4] >> 6 << 4,
          packed[sub_block + 4] >> 4 | packed[sub_block] >> 6 << 4};
}

// Q4_K and Q5_K: two f16, 12 bytes of scales, fifth bits for Q5, then 32 bytes for each pair of sub-blocks.
void k_block(const uint8_t* block, bool has_fifth_bit, float* out) {
  const float scale_of_scales = half_at(block), scale_of_offsets = half_at(block + 2);
  const uint8_t* fifth_bits = block + 16;
  const uint8_t* codes = fifth_bits + (has_fifth_bit ? 32 : 0);
  for (int sub_block = 0; sub_block < 8; ++sub_block) {
    const SmallScale small = small_scale(block + 4, sub_block);
    const float scale = scale_of_scales * static_cast<float>(small.scale);
    const float offset = scale_of_offsets * static_cast<float>(small.offset);
    for (int i = 0; i < 32; ++i) {
      const int pair = codes[sub_block / 2 * 32 + i];
      int code = sub_block % 2 == 0 ? pair & 15 : pair >> 4;
      if (has_fifth_bit) code |= (fifth_bits[i] >> sub_block & 1) << 4;
      out[sub_block * 32 + i] = scale * static_cast<float>(code) - offset;
    }
  }
}

// Q6_K: 128 bytes of low nibbles, 64 of upper bit pairs, 16 signed scales of 16 elements, one f16.
void q6_k_block(const uint8_t* block, float* out) {
  const float scale = half_at(block + 208);
  for (int half = 0; half < 2; ++half) {
    const uint8_t* low = block + half * 64;
    const uint8_t* high = block + 128 + half * 32;
    const auto* scales = reinterpret_cast<const int8_t*>(block + 192 + half * 8);
    for (int i = 0; i < 128; ++i) {
      const int quarter = i / 32, lane = i % 32;
      const int nibbles = low[quarter % 2 * 32 + lane];
      const int code = (quarter < 2 ? nibbles & 15 : nibbles >> 4) | (high[lane] >> 2 * quarter & 3)
                                                                         << 4;
      out[half * 128 + i] =
          scale * static_cast<float>(scales[i / 16]) * static_cast<float>(code - 32);
    }
  }
}

}  // namespace

void dequantize_ggml_block(GgmlType type, const uint8_t* block, float* out) {
  switch (type) {
    case GgmlType::kQ4_0: return small_block(block, false, false, out);
    case GgmlType::kQ4_1: return small_block(block, true, false, out);
    case GgmlType::kQ5_0: return small_block(block, false, true, out);
    case GgmlType::kQ5_1: return small_block(block, true, true, out);
    case GgmlType::kQ8_0: return q8_0_block(block, out);
    case GgmlType::kQ4K: return k_block(block, false, out);
    case GgmlType::kQ5K: return k_block(block, true, out);
    case GgmlType::kQ6K: return q6_k_block(block, out);
  }
}

void dequantize_ggml(const DequantizeGgmlArgs& args) {
  const GgmlBlock size = ggml_block(args.type);
  const auto* blocks = static_cast<const uint8_t*>(args.blocks);
  for (long long b = 0; b < args.count / size.elements; ++b) {
    float values[256];
    dequantize_ggml_block(args.type, blocks + b * size.bytes, values);
    for (int i = 0; i < size.elements; ++i)
      store_f32(args.out, args.dtype, b * size.elements + i, values[i]);
  }
}

}  // namespace framepack::oracle
