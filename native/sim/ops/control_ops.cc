// Block barriers, fences, hints and traps. Branches and exits are part of the warp loop
// (exec/block.cc).

#include "exec/block.h"
#include "ops/elementwise.h"

namespace cudasim {
namespace {

enum Reduction : uint8_t { kNoReduction, kPopc, kAnd, kOr };

constexpr uint32_t kIdOperand = 2, kCountOperand = 3;

// operands: 0 destination and 1 predicate of a reduction, 2 barrier, 3 thread count; mode:
// Reduction; count: predicate is negated; width: 1 when the instruction only arrives
void barrier(Warp& warp, const Instruction& in, uint32_t lanes) {
  Block& block = *warp.block;
  if (lanes != warp.alive) {
    block.abort(warp, in, std::countr_zero(lanes), Finding::kBarrier,
                "barrier in divergent code: " + std::to_string(std::popcount(lanes)) + " of " +
                    std::to_string(std::popcount(warp.alive)) + " lanes of the warp are here");
  }
  const int lane = std::countr_zero(lanes);
  const uint32_t id = warp.at<uint32_t>(in.operand[kIdOperand])[lane];
  const uint32_t threads = warp.at<uint32_t>(in.operand[kCountOperand])[lane];
  if (id >= Block::kBarriers || threads % kLanes != 0 ||
      threads > block.launch().warps() * kLanes) {
    block.abort(warp, in, lane, Finding::kBarrier,
                "barrier " + std::to_string(id) + " with " + std::to_string(threads) + " threads");
  }
  warp.barrier_lanes = lanes;
  block.arrive_at_barrier(warp, in, id, threads, in.width != 0);
}

void nothing(Warp&, const Instruction&, uint32_t) {}

void trap(Warp& warp, const Instruction& in, uint32_t lanes) {
  warp.block->abort(warp, in, std::countr_zero(lanes), Finding::kTrap, "trap");
}

// bar{rier}{.cta}.{sync,arrive,red.op}{.aligned} [d,] a{, b}{, {!}p}
bool decode_barrier(Binding& b) {
  b.source.kind = InstructionClass::kBarrier;
  const bool is_reduction = b.has("red");
  if (!is_reduction && !b.has("sync") && !b.has("arrive")) return false;
  size_t next = 0, end = b.operands();
  if (is_reduction) {
    b.in.mode = b.has("popc") ? kPopc : b.has("and") ? kAnd : b.has("or") ? kOr : kNoReduction;
    if (b.in.mode == kNoReduction) return false;
    b.in.operand[0] = b.in.mode == kPopc ? b.write(0, 4) : b.write_predicate(b.operand(0));
    bool is_negated = false;
    b.in.operand[1] = b.read_predicate(b.operand(--end), &is_negated);
    b.in.count = is_negated;
    next = 1;
  }
  b.in.operand[kIdOperand] = b.read(next++, 4);
  ptx::Operand all_threads;
  all_threads.kind = ptx::OperandKind::kInteger;
  b.in.operand[kCountOperand] = next < end ? b.read(next, 4) : b.read(all_threads, 4);
  b.in.width = b.has("arrive");
  b.in.execute = barrier;
  return true;
}

}  // namespace

bool decode_control(Binding& b) {
  const std::string& op = b.base();
  if ((op == "bar" || op == "barrier") && !b.has("warp")) {
    if (!b.has("cluster")) decode_barrier(b);
    return true;
  }
  if (op == "trap") {
    b.in.execute = trap;
    return true;
  }
  const bool is_hint = op == "membar" || op == "fence" || op == "nanosleep" || op == "brkpt" ||
                       op == "prefetch" || op == "prefetchu" || op == "discard" ||
                       op == "applypriority" || op == "pmevent";
  if (is_hint) b.in.execute = nothing;
  return is_hint;
}

}  // namespace cudasim
