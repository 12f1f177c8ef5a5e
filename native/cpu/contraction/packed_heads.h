// Keys and values of attention heads in the order in which the tiles of the two products read them.
#pragma once
#include "../../../kernels/attention/attention_args.h"
#include "../isa/kernel_table.h"

namespace framepack::cpu {

struct CpuContext;

class PackedHeads {
 public:
  // Keys that one call of pack() takes.
  static constexpr long long kPackRows = 64;

  PackedHeads(const AttentionArgs& args, const CpuContext& context,
              const isa::GemmKernels& kernels);

  // Bytes of the keys and values of one head, and of their scales.
  long long head_bytes() const { return key_bytes_ + value_bytes_ + scale_bytes_; }
  // head_bytes() for every slot.
  void set_memory(char* memory) { memory_ = memory; }

  // For scaled kernels, before values are packed: one scale for all values of a key head.
  void measure_values(long long slot, long long batch, long long head) const;

  // Keys and values [first, first + kPackRows) of key head `head` of a batch entry.
  void pack(long long slot, long long batch, long long head, long long first) const;

  // Columns behind the head width are zero up to the next k_step.
  const char* key(long long slot, long long row) const {
    return memory_ + slot * head_bytes() + row * key_stride_ * kernels_.element_bytes;
  }
  long long key_stride() const { return key_stride_; }
  // Of each key, and of each column of the values.
  float* key_scale(long long slot, long long row) const { return scales(slot) + row; }
  float* value_scale(long long slot) const { return scales(slot) + args_.key_tokens; }

  // Value `column` of key `row` lies at row * value_key_stride() + column * value_column_stride().
  const char* value(long long slot, long long row, long long column) const {
    return memory_ + slot * head_bytes() + key_bytes_ +
           (row * value_key_stride_ + column * value_column_stride_) * kernels_.element_bytes;
  }
  long long value_key_stride() const { return value_key_stride_; }
  long long value_column_stride() const { return value_column_stride_; }

 private:
  float* scales(long long slot) const {
    return reinterpret_cast<float*>(memory_ + slot * head_bytes() + key_bytes_ + value_bytes_);
  }
  void pack_rows(const char* source, long long stride, long long rows, char* packed) const;
  void pack_value_pairs(const char* source, long long rows, char* packed) const;
  void pack_value_columns(const char* source, long long rows, bool is_last, char* packed) const;
  void scale(long long slot, long long first, long long rows) const;

  const AttentionArgs& args_;
  const CpuContext& context_;
  const isa::GemmKernels& kernels_;
  const long long key_end_;  // of the last segment; behind it there may be anything
  char* memory_ = nullptr;
  long long key_stride_ = 0, value_key_stride_ = 0, value_column_stride_ = 0;  // elements
  long long key_bytes_ = 0, value_bytes_ = 0, scale_bytes_ = 0;
};

}  // namespace framepack::cpu
