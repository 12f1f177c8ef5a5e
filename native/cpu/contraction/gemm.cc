#include "gemm.h"

#include <algorithm>

#include "../rows.h"

namespace framepack::cpu {

namespace {

// Below so many multiply-adds a task is not worth a hand-over.
constexpr double kMinTaskWork = 1 << 20;
constexpr long long kTasksPerThread = 4;
constexpr long long kPackedBytes = 32 << 20;  // of the left operand, packed at a time

constexpr long long round_up(long long a, long long b) { return ceil_div(a, b) * b; }

struct Blocking {
  long long rows, columns;  // of one task
  long long column_blocks;
};

// Cuts [0, total) into equal blocks of whole units, of at most `block`.
long long even_block(long long total, long long block, long long unit) {
  return round_up(ceil_div(total, ceil_div(total, block)), unit);
}

// The result does not depend on the blocking, so it may depend on the number of threads.
Blocking choose_blocking(const GemmProblem& problem, const isa::GemmKernels& kernels, int threads) {
  const double work = static_cast<double>(problem.m) * static_cast<double>(problem.n) *
                      static_cast<double>(problem.k);
  const long long useful = std::max<long long>(1, static_cast<long long>(work / kMinTaskWork));
  const long long wanted = threads == 1 ? 1 : std::min(threads * kTasksPerThread, useful);
  Blocking blocking{kernels.block.rows, kernels.block.columns, 0};
  while (ceil_div(problem.m, blocking.rows) * ceil_div(problem.n, blocking.columns) < wanted) {
    const bool can_cut_rows = blocking.rows / 2 >= 4 * kernels.tile_rows;
    const bool can_cut_columns = blocking.columns > kernels.tile_columns;
    if (can_cut_columns && (blocking.columns * 2 > blocking.rows || !can_cut_rows)) {
      blocking.columns /= 2;
    } else if (can_cut_rows) {
      blocking.rows /= 2;
    } else {
      break;
    }
  }
  blocking.rows = even_block(problem.m, blocking.rows, kernels.tile_rows);
  blocking.columns = even_block(problem.n, blocking.columns, kernels.tile_columns);
  blocking.column_blocks = ceil_div(problem.n, blocking.columns);
  return blocking;
}

// Rows [first, first + count) of a, all k of them, packed for every task.
struct PackedRows {
  char* data;
  float* scales;  // of each row, for scaled kernels
  long long first, count, stride;
};

class Task {
 public:
  Task(const GemmProblem& problem, const isa::KernelTable& table, const isa::GemmKernels& kernels,
       const Blocking& blocking)
      : problem_(problem),
        table_(table),
        kernels_(kernels),
        blocking_(blocking),
        block_k_(std::min(problem.k, kernels.block.k)),
        panel_bytes_(round_up(block_k_, isa::kScaleBlock) * kernels.tile_columns *
                     kernels.element_bytes),
        has_one_k_block_(problem.k == block_k_) {}

  size_t scratch_bytes() const {
    const long long sums = has_one_k_block_ ? kernels_.tile_rows * kernels_.tile_columns
                                            : blocking_.rows * blocking_.columns;
    return static_cast<size_t>(panel_bytes_ + 4 * sums);
  }

  // Neighbouring tasks share columns: their weights are still in the outer cache.
  void run(long long task, const PackedRows& a, void* scratch) const {
    auto* panel = static_cast<char*>(scratch);
    auto* sums = reinterpret_cast<float*>(panel + panel_bytes_);
    const long long row_blocks = ceil_div(a.count, blocking_.rows);
    const long long row = task % row_blocks * blocking_.rows;
    const long long column = task / row_blocks * blocking_.columns;
    const auto row_count = static_cast<int>(std::min(blocking_.rows, a.count - row));
    const long long column_count = std::min(blocking_.columns, problem_.n - column);
    const TileRegion region(kernels_);
    for (long long k = 0; k < problem_.k; k += block_k_) {
      const long long count = std::min(block_k_, problem_.k - k);
      for (long long j = 0; j < column_count; j += kernels_.tile_columns) {
        const int columns =
            static_cast<int>(std::min<long long>(kernels_.tile_columns, column_count - j));
        float column_scale[kMaxPanelWidth];
        kernels_.pack_panel(columns_from(problem_.w, column + j, columns, k), count, panel,
                            column_scale);
        run_panel(a, row, {panel, column_scale}, sums + (has_one_k_block_ ? 0 : j * blocking_.rows),
                  {a.first + row, column + j, row_count, columns}, k, count);
      }
    }
  }

 private:
  struct Panel {
    const void* data;
    const float* scale;
  };

  // `row` counts from the first packed one.
  void run_panel(const PackedRows& a, long long row, const Panel& panel, float* sums,
                 const isa::Placement& place, long long k, long long count) const {
    const int width = kernels_.panel_width(place.columns);
    const bool is_last = k + count == problem_.k;
    const int tile_rows = kernels_.tile_height(place.rows);
    for (int i = 0; i < place.rows; i += tile_rows) {
      const long long offset = (row + i) * a.stride + k;
      isa::TileArgs tile{
          .a = a.data,
          .a_row_stride = a.stride,
          .a_k_stride = 1,
          .offsets = &offset,
          .segments = 1,
          .k = round_up(count, kernels_.k_step),
          .panel = panel.data,
          .c = has_one_k_block_ ? sums : sums + static_cast<long long>(i) * width,
          .c_stride = width,
          .rows = std::min(tile_rows, place.rows - i),
          .width = width,
          .accumulates = k > 0,
          .row_scale = a.scales + row + i,
          .column_scale = panel.scale,
      };
      kernels_.tile(tile);
      if (is_last) {
        table_.finish(tile.c, width, problem_.epilogue,
                      {place.row + i, place.column, tile.rows, place.columns});
      }
    }
  }

  const GemmProblem& problem_;
  const isa::KernelTable& table_;
  const isa::GemmKernels& kernels_;
  const Blocking& blocking_;
  long long block_k_, panel_bytes_;
  bool has_one_k_block_;
};

// Every block of columns reads the rows packed here; packing them for each would cost 4 % of a product
// of 3072 columns.
void pack_rows(const GemmProblem& problem, const isa::GemmKernels& kernels, RowSource rows,
               const PackedRows& a, const CpuContext& context) {
  constexpr long long kRows = 32;  // of one task
  const long long bytes = kernels.element_bytes;
  const long long padding = round_up(problem.k, kernels.k_step) - problem.k;
  context.pool.parallel_for(ceil_div(a.count, kRows), [&](int64_t task, int) {
    const long long begin = task * kRows, count = std::min(kRows, a.count - begin);
    char* first = a.data + begin * a.stride * bytes;
    rows({a.first + begin, count, 0, problem.k, first, a.stride});
    for (long long row = 0; row < count; ++row) {
      char* numbers = first + row * a.stride * bytes;
      std::fill_n(numbers + problem.k * bytes, padding * bytes, 0);
      if (kernels.is_scaled()) {
        a.scales[begin + row] = scale_row(kernels, numbers, problem.k);
      }
    }
  });
}

// Few rows: all of a is widened once, every weight is read once.
void gemm_few_rows(const GemmProblem& problem, RowSource rows, const CpuContext& context) {
  constexpr long long kColumns = 64;
  const long long a_stride = packed_row_stride(problem.k, 4);
  auto* a = static_cast<float*>(
      context.scratch.shared(static_cast<size_t>(problem.m * a_stride) * sizeof(float)));
  rows({0, problem.m, 0, problem.k, a, a_stride});
  const long long tasks = ceil_div(problem.n, kColumns);
  const auto body = [&](long long task) {
    float sums[isa::kMaxDotRows * kColumns];
    const long long column = task * kColumns;
    const int columns = static_cast<int>(std::min(kColumns, problem.n - column));
    const int row_count = static_cast<int>(problem.m);
    context.kernels->dot(a, a_stride, row_count, columns_from(problem.w, column, columns, 0),
                         problem.k, sums, kColumns);
    context.kernels->finish(sums, kColumns, problem.epilogue, {0, column, row_count, columns});
  };
  if (static_cast<double>(problem.n) * static_cast<double>(problem.k) < kMinTaskWork / 4) {
    for (long long task = 0; task < tasks; ++task) body(task);
  } else {
    context.pool.parallel_for(tasks, [&](int64_t task, int) { body(task); });
  }
}

}  // namespace

float scale_row(const isa::GemmKernels& kernels, void* row, long long k) {
  auto* numbers = static_cast<unsigned short*>(row);
  const float scale = kernels.scale_of(numbers, k);
  kernels.scale_row(numbers, k, scale);
  return scale;
}

long long packed_row_stride(long long elements, int element_bytes) {
  const long long line = 64 / element_bytes;
  return (ceil_div(elements, line) | 1) * line;
}

isa::ColumnSource columns_from(const isa::ColumnSource& w, long long column, int columns,
                               long long k) {
  isa::ColumnSource part = w;
  part.data = static_cast<const char*>(w.data) + (column * w.row_stride + k) * size_of(w.dtype);
  if (w.block_scale) {
    part.block_scale = w.block_scale + column * w.block_scale_stride + k / isa::kScaleBlock;
  }
  part.columns = columns;
  return part;
}

void gemm(const GemmProblem& problem, RowSource rows, const CpuContext& context) {
  if (problem.m == 0 || problem.n == 0) return;
  if (problem.m <= isa::kMaxDotRows && !problem.is_bf16) {
    return gemm_few_rows(problem, rows, context);
  }
  const isa::GemmKernels& kernels = problem.is_bf16 ? *context.kernels->bf16 : context.kernels->f32;
  const Blocking blocking = choose_blocking(problem, kernels, context.pool.size());
  const Task task(problem, *context.kernels, kernels, blocking);
  const long long stride = packed_row_stride(problem.k, kernels.element_bytes);
  const long long row_bytes = stride * kernels.element_bytes;
  // Whole blocks of rows at a time.
  const long long step = std::max(1LL, kPackedBytes / (row_bytes * blocking.rows)) * blocking.rows;
  const long long packed_rows = std::min(step, problem.m);
  const size_t bytes = static_cast<size_t>(packed_rows * row_bytes) +
                       static_cast<size_t>(packed_rows) * sizeof(float);
  auto* packed = static_cast<char*>(context.scratch.shared(bytes));
  auto* scales = reinterpret_cast<float*>(packed + packed_rows * row_bytes);
  for (long long first = 0; first < problem.m; first += step) {
    const PackedRows a{packed, scales, first, std::min(step, problem.m - first), stride};
    pack_rows(problem, kernels, rows, a, context);
    context.pool.parallel_for(
        ceil_div(a.count, blocking.rows) * blocking.column_blocks, [&](int64_t index, int worker) {
          task.run(index, a, context.scratch.of_worker(worker, task.scratch_bytes()));
        });
  }
}

}  // namespace framepack::cpu
