// Flash attention, transposed: scores are K Q^T and outputs V^T P^T, so a query is a vector lane and
// softmax never reduces across lanes. The exponentials are at once the panel of the second product.
//
// Keys and values are packed once per key head. A task owns up to kGroups groups of queries, one
// panel each, and walks the keys in chunks that stay in the L2 cache for all groups. Sums run over
// the keys in order, so the result depends on shapes only.
#include "attention.h"

#include <algorithm>
#include <cfloat>
#include <vector>

#include "../../kernels/attention/attention_ref.h"
#include "contraction/gemm.h"
#include "contraction/packed_heads.h"
#include "cpu_context.h"
#include "isa/kernel_table.h"
#include "isa/vector_table.h"

namespace framepack::cpu {

namespace {

constexpr long long kGroups = 4;
constexpr long long kPackedBytes = 64ll << 20;   // keys and values packed at a time
constexpr long long kChunkElements = 128 * 256;  // of the keys of one chunk
constexpr long long kMaxChunkKeys = 256;

constexpr long long ceil_div(long long a, long long b) { return (a + b - 1) / b; }
constexpr long long round_up(long long a, long long b) { return ceil_div(a, b) * b; }

// Query rows of one task and the keys of their segment.
struct QueryBlock {
  long long query, queries;      // rows of q
  long long key_begin, key_end;  // rows of k and v
  long long position;            // of the first query within its segment
  long long offset;              // queries + offset = keys of the segment, for the causal mask
};

class Attention {
 public:
  Attention(const AttentionArgs& args, const CpuContext& context)
      : args_(args),
        context_(context),
        is_bf16_(can_use_bf16()),
        kernels_(is_bf16_ ? *context.kernels->bf16 : context.kernels->f32),
        packed_(args, context, kernels_),
        chunk_keys_(std::clamp(kChunkElements / args.head_width / 32 * 32, 32LL, kMaxChunkKeys)) {
    list_blocks();
  }

  void run() {
    const long long units = args_.batch * args_.kv_heads;
    const long long round = std::clamp(kPackedBytes / (packed_.head_bytes() + 1), 1LL, units);
    packed_.set_memory(static_cast<char*>(
        context_.scratch.shared(static_cast<size_t>(packed_.head_bytes() * round))));
    const long long group = args_.heads / args_.kv_heads;
    const auto blocks = static_cast<long long>(blocks_.size());
    for (long long first = 0; first < units; first += round) {
      const long long count = std::min(round, units - first);
      if (kernels_.is_scaled()) {
        context_.pool.parallel_for(count, [&](int64_t slot, int) {
          const long long unit = first + slot;
          packed_.measure_values(slot, unit / args_.kv_heads, unit % args_.kv_heads);
        });
      }
      const long long cuts = ceil_div(args_.key_tokens, PackedHeads::kPackRows);
      context_.pool.parallel_for(count * cuts, [&](int64_t task, int) {
        const long long slot = task / cuts, unit = first + slot;
        packed_.pack(slot, unit / args_.kv_heads, unit % args_.kv_heads,
                     task % cuts * PackedHeads::kPackRows);
      });
      context_.pool.parallel_for(count * group * blocks, [&](int64_t task, int worker) {
        // The last blocks of a causal mask are the longest: they start first.
        const QueryBlock& block = blocks_[static_cast<size_t>(blocks - 1 - task % blocks)];
        const long long slot = task / (blocks * group), unit = first + slot;
        const long long head = unit % args_.kv_heads * group + task / blocks % group;
        attend(block, {unit / args_.kv_heads, head, slot}, worker);
      });
    }
  }

 private:
  struct Head {
    long long batch, head;
    long long slot;  // where its keys and values are packed
  };

  // One panel of queries and everything that is known about it so far.
  struct Group {
    long long first;  // query row within the block
    int queries, width;
    bool has_output;
    char* panel;    // packed queries
    float* scale;   // of each packed query
    float* output;  // [K, width]
    float* maximum;
    float* sum;
    float* correction;
    float* visible;  // keys that each query sees
  };

  bool can_use_bf16() const {
    if (!context_.kernels->bf16 || args_.dtype != DType::kBf16) return false;
    // Pairs of keys are packed as they are numbered, so every segment must start with a pair.
    const int step = context_.kernels->bf16->k_step;
    for (long long g = 0; step == 2 && g < args_.num_segments; ++g) {
      if (args_.key_offsets[g] % step != 0) return false;
    }
    return true;
  }

  long long group_width() const { return kernels_.tile_columns; }

  void list_blocks() {
    if (args_.num_segments == 0) {
      list_segment(0, args_.query_tokens, 0, args_.key_tokens);
      return;
    }
    list_segment(0, args_.query_offsets[0], 0, 0);
    for (long long g = 0; g < args_.num_segments; ++g) {
      list_segment(args_.query_offsets[g], args_.query_offsets[g + 1], args_.key_offsets[g],
                   args_.key_offsets[g + 1]);
    }
    list_segment(args_.query_offsets[args_.num_segments], args_.query_tokens, 0, 0);
  }

  void list_segment(long long query, long long query_end, long long key, long long key_end) {
    const long long step = kGroups * group_width();
    for (long long begin = query; begin < query_end; begin += step) {
      blocks_.push_back({begin, std::min(step, query_end - begin), key, key_end, begin - query,
                         (key_end - key) - (query_end - query)});
    }
  }

  long long visible_keys(const QueryBlock& block, long long query) const {
    const long long keys = block.key_end - block.key_begin, i = block.position + query;
    switch (args_.mask) {
      case AttentionMask::kNone: return keys;
      case AttentionMask::kCausal: return std::clamp(i + 1 + block.offset, 0LL, keys);
      case AttentionMask::kFrameCausal:
        return std::min((i / args_.frame_tokens + 1) * args_.frame_tokens, keys);
    }
    return keys;
  }

  size_t group_floats() const {
    return static_cast<size_t>(
        (args_.head_width + round_up(args_.head_width, kernels_.k_step) + 5) * group_width());
  }
  size_t chunk_floats() const { return static_cast<size_t>(chunk_keys_ * group_width()); }
  // The output of a group, queries as rows.
  size_t transposed_floats() const { return static_cast<size_t>(args_.head_width * group_width()); }

  void attend(const QueryBlock& block, const Head& head, int worker) const {
    const size_t floats = kGroups * group_floats() + 2 * chunk_floats() + transposed_floats();
    auto* scratch = static_cast<float*>(context_.scratch.of_worker(worker, floats * sizeof(float)));
    float* scores = scratch + kGroups * group_floats();
    const TileRegion region(kernels_);
    Group groups[kGroups];
    const long long count = ceil_div(block.queries, group_width());
    for (long long g = 0; g < count; ++g) {
      open_group(block, head, g, scratch + static_cast<size_t>(g) * group_floats(), groups[g]);
    }
    const long long keys = visible_keys(block, block.queries - 1);
    for (long long key = 0; key < keys; key += chunk_keys_) {
      for (long long g = 0; g < count; ++g) {
        attend_chunk(block, head, key, scores, groups[g]);
      }
    }
    for (long long g = 0; g < count; ++g) {
      close_group(block, head, scores + 2 * chunk_floats(), groups[g]);
    }
  }

  void open_group(const QueryBlock& block, const Head& head, long long g, float* memory,
                  Group& group) const {
    const long long width = group_width(), elements = args_.head_width * width;
    group.first = g * width;
    group.queries = static_cast<int>(std::min(width, block.queries - group.first));
    group.width = kernels_.panel_width(group.queries);
    group.has_output = false;
    group.output = memory;
    group.maximum = memory + elements;
    group.sum = group.maximum + width;
    group.correction = group.sum + width;
    group.visible = group.correction + width;
    group.scale = group.visible + width;
    group.panel = reinterpret_cast<char*>(group.scale + width);
    const long long query = head.batch * args_.q_stride.batch +
                            (block.query + group.first) * args_.q_stride.token +
                            head.head * args_.q_stride.head;
    kernels_.pack_panel({.data = static_cast<const char*>(args_.q) + query * size_of(args_.dtype),
                         .block_scale = nullptr,
                         .row_stride = args_.q_stride.token,
                         .block_scale_stride = 0,
                         .columns = group.queries,
                         .dtype = args_.dtype},
                        args_.head_width, group.panel, group.scale);
    for (int i = 0; i < group.width; ++i) {
      group.maximum[i] = -FLT_MAX;
      group.sum[i] = 0;
      group.visible[i] =
          static_cast<float>(visible_keys(block, group.first + std::min(i, group.queries - 1)));
    }
  }

  // Keys [key, key + chunk_keys_) of the segment for one group.
  void attend_chunk(const QueryBlock& block, const Head& head, long long key, float* scores,
                    Group& group) const {
    // Masks show more keys to later queries, never fewer.
    const auto most = static_cast<long long>(group.visible[group.width - 1]);
    const long long keys = std::min(chunk_keys_, most - key);
    if (keys <= 0) return;
    float visible[kMaxPanelWidth];
    for (int i = 0; i < group.width; ++i) {
      visible[i] = group.visible[i] - static_cast<float>(key);
    }
    const long long row = block.key_begin + key;
    score(head.slot, row, keys, group, scores);
    const bool changes = context_.kernels->softmax({
        .scores = scores,
        .visible = visible[0] < static_cast<float>(keys) ? visible : nullptr,
        .maximum = group.maximum,
        .sum = group.sum,
        .correction = group.correction,
        .keys = keys,
        .width = group.width,
        .scale = args_.scale,
    });
    if (changes && group.has_output) {
      context_.kernels->scale_columns(group.output, args_.head_width, group.width,
                                      group.correction);
    }
    const void* weights = scores;
    float weight_scale[kMaxPanelWidth];
    if (kernels_.round_panel) {
      float* panel = scores + chunk_floats();
      kernels_.round_panel(scores, keys, group.width, panel, weight_scale);
      weights = panel;
    }
    add_values(head.slot, row, keys, weights, weight_scale, group);
    group.has_output = true;
  }

  // scores[key, query] = k . q
  void score(long long slot, long long row, long long keys, const Group& group,
             float* scores) const {
    const long long no_offset = 0;
    for_tiles(keys, [&](long long first, int rows) {
      kernels_.tile({
          .a = packed_.key(slot, row + first),
          .a_row_stride = packed_.key_stride(),
          .a_k_stride = 1,
          .offsets = &no_offset,
          .segments = 1,
          .k = round_up(args_.head_width, kernels_.k_step),
          .panel = group.panel,
          .c = scores + first * group.width,
          .c_stride = group.width,
          .rows = rows,
          .width = group.width,
          .accumulates = false,
          .row_scale = packed_.key_scale(slot, row + first),
          .column_scale = group.scale,
      });
    });
  }

  // output[column, query] += sum_key v[key, column] * weight[key, query]
  void add_values(long long slot, long long row, long long keys, const void* weights,
                  const float* weight_scale, const Group& group) const {
    const long long no_offset = 0;
    for_tiles(args_.head_width, [&](long long first, int rows) {
      kernels_.tile({
          .a = packed_.value(slot, row, first),
          .a_row_stride = packed_.value_column_stride(),
          .a_k_stride = packed_.value_key_stride(),
          .offsets = &no_offset,
          .segments = 1,
          .k = round_up(keys, kernels_.k_step),
          .panel = weights,
          .c = group.output + first * group.width,
          .c_stride = group.width,
          .rows = rows,
          .width = group.width,
          .accumulates = group.has_output,
          .row_scale = packed_.value_scale(slot) + first,
          .column_scale = weight_scale,
      });
    });
  }

  template <class Body>
  void for_tiles(long long rows, Body body) const {
    const long long tile_rows = kernels_.tile_height(rows);
    for (long long first = 0; first < rows; first += tile_rows) {
      body(first, static_cast<int>(std::min(tile_rows, rows - first)));
    }
  }

  void close_group(const QueryBlock& block, const Head& head, float* transposed,
                   Group& group) const {
    const long long width = args_.head_width;
    if (group.has_output) {
      for (int i = 0; i < group.width; ++i) {
        group.correction[i] = group.sum[i] == 0 ? 0 : 1 / group.sum[i];
      }
      context_.kernels->scale_columns(group.output, width, group.width, group.correction);
      context_.vector->transpose(group.output, group.width, transposed, width, width, group.queries,
                                 sizeof(float));
    } else {
      std::fill_n(transposed, width * group.queries, 0.0f);
    }
    for (long long i = 0; i < group.queries; ++i) {
      const long long out = head.batch * args_.out_stride.batch +
                            (block.query + group.first + i) * args_.out_stride.token +
                            head.head * args_.out_stride.head;
      context_.vector->narrow(transposed + i * width,
                              static_cast<char*>(args_.out) + out * size_of(args_.dtype),
                              args_.dtype, width);
    }
  }

  const AttentionArgs& args_;
  const CpuContext& context_;
  const bool is_bf16_;
  const isa::GemmKernels& kernels_;
  PackedHeads packed_;
  const long long chunk_keys_;
  std::vector<QueryBlock> blocks_;
};

}  // namespace

void attention(const AttentionArgs& args, const CpuContext& context) {
  if (!context.kernels) return oracle::attention(args);
  Attention(args, context).run();
}

}  // namespace framepack::cpu
