#include "exec/block.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "settings.h"

namespace cudasim {
namespace {

constexpr size_t kMaxSharedBytes = 256 * 1024;
constexpr uint8_t kPoison = 0xff;  // NaN in f32, f16 and bf16

// A warp that spins on another warp's store must give way at some point.
constexpr uint64_t kFairQuantum = 1 << 20;
constexpr uint32_t kRandomQuantum = 256;

uint32_t low_bits(uint32_t count) { return count >= 32 ? ~0u : (1u << count) - 1; }

uint8_t* allocate_aligned(size_t bytes) {
  return static_cast<uint8_t*>(std::aligned_alloc(64, (bytes + 63) / 64 * 64));
}

}  // namespace

void Block::FreeDeleter::operator()(uint8_t* memory) const { std::free(memory); }

Block::Block() : shared_(allocate_aligned(kMaxSharedBytes)) {}

void Block::prepare(const Launch& launch, LaunchReport& report, LaunchProfile* profile) {
  launch_ = &launch;
  report_ = &report;
  profile_ = profile;
  is_checked_ = settings().check;
  shared_bytes_ = launch.shared_bytes();
  const Program& code = program();
  const size_t warps = launch.warps(), register_bytes = (code.register_bytes + 63) / 64 * 64;
  if (register_file_bytes_ < warps * register_bytes) {
    register_file_bytes_ = warps * register_bytes;
    register_file_.reset(allocate_aligned(register_file_bytes_));
  }
  predicate_file_.resize(warps * code.predicate_count);
  local_file_.resize(warps * code.local_bytes * kLanes);
  warps_.resize(warps);
  for (size_t i = 0; i < warps; ++i) {
    Warp& warp = warps_[i];
    warp.block = this;
    warp.index = static_cast<uint32_t>(i);
    warp.registers = register_file_.get() + i * register_bytes;
    warp.predicates = predicate_file_.data() + i * code.predicate_count;
    warp.local = local_file_.data() + i * code.local_bytes * kLanes;
    std::memset(warp.registers, kPoison, register_bytes);
    std::memcpy(warp.registers, code.constants.data(), code.constants.size());
  }
}

void Block::begin(uint32_t block_index) {
  const uint32_t threads = launch_->threads();
  index_ = block_index;
  steps_ = 0;
  random_ =
      (settings().seed * 0x9e3779b97f4a7c15ull) ^ ((block_index + 1ull) * 0xd1b54a32d192ed03ull);
  alive_warps_ = low_bits(static_cast<uint32_t>(warps_.size()));
  barriers_.fill({});
  std::memset(shared_.get(), kPoison, shared_bytes_);
  if (!local_file_.empty()) std::memset(local_file_.data(), kPoison, local_file_.size());
  clock_.begin_block(static_cast<uint32_t>(warps_.size()));
  if (is_checked_) shared_checker_.begin_block(shared_bytes_, clock_);
  for (Warp& warp : warps_) {
    warp.pc = 0;
    warp.alive = warp.active = low_bits(threads - warp.index * kLanes);
    warp.state = WarpState::kReady;
    warp.rejoin_pc = Warp::kNoRejoin;
    warp.waiting.clear();
    warp.copies.clear();
    std::fill(std::begin(warp.copy_groups), std::end(warp.copy_groups), 0);
    std::fill_n(warp.predicates, program().predicate_count, 0);
    warp.predicates[1] = kAllLanes;
    fill_special_registers(warp);
  }
}

void Block::fill_special_registers(Warp& warp) {
  SpecialRegisterContext context{launch_->block,
                                 launch_->grid,
                                 index_,
                                 warp.index,
                                 static_cast<uint32_t>(warps_.size()),
                                 launch_->id,
                                 launch_->dynamic_shared_bytes,
                                 shared_bytes_};
  for (const Program::Special& special : program().specials) {
    for (uint32_t l = 0; l < kLanes; ++l) {
      const uint32_t value = special_register_value(special.what, context, l);
      if (special.bytes == 8) {
        warp.at<uint64_t>(special.slot)[l] = value;
      } else {
        warp.at<uint32_t>(special.slot)[l] = value;
      }
    }
  }
}

void Block::run(uint32_t block_index) {
  begin(block_index);
  try {
    schedule();
    report_leftover_copies();
  } catch (const KernelAbort&) {
    report_->block_aborted();
  }
}

uint32_t Block::next_random() {
  random_ ^= random_ << 13;
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  return static_cast<uint32_t>(random_ >> 16);
}

void Block::schedule() {
  const uint32_t count = static_cast<uint32_t>(warps_.size());
  const Schedule order = settings().schedule;
  for (;;) {
    bool has_run = false;
    const uint32_t first = order == Schedule::kRandom ? next_random() % count : 0;
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t at = order == Schedule::kDescending ? count - 1 - i : (i + first) % count;
      if (warps_[at].state != WarpState::kReady) continue;
      has_run = true;
      run_warp(warps_[at],
               order == Schedule::kRandom ? 1 + next_random() % kRandomQuantum : kFairQuantum);
    }
    if (has_run) continue;
    if (alive_warps_ == 0) return;
    report_deadlock();
  }
}

void Block::run_warp(Warp& warp, uint64_t quantum) {
  const uint64_t before = warp.steps;
  if (profile_) {
    run_warp_loop<true>(warp, quantum);
  } else {
    run_warp_loop<false>(warp, quantum);
  }
  steps_ += warp.steps - before;
  if (steps_ > settings().step_limit) {
    abort(warp, program().code[warp.pc], -1, Finding::kDeadlock,
          "the block has executed more than CUDA_SIM_STEP_LIMIT warp instructions",
          Fault::kTimeout);
  }
}

template <bool kProfiled>
void Block::run_warp_loop(Warp& warp, uint64_t quantum) {
  const Instruction* code = program().code.data();
  for (; warp.state == WarpState::kReady && quantum > 0; --quantum) {
    if (warp.pc >= warp.rejoin_pc || warp.active == 0) {
      regroup(warp);
      if (warp.state == WarpState::kDone) return;
    }
    const Instruction& in = code[warp.pc];
    uint32_t lanes = warp.active;
    if (in.guard >= 0) {
      const uint32_t predicate = warp.predicates[in.guard];
      lanes &= in.guard_negated ? ~predicate : predicate;
    }
    ++warp.steps;
    if constexpr (kProfiled) profile_->execute(warp.pc);
    switch (in.flow) {
      case Flow::kNext:
        if (lanes) in.execute(warp, in, lanes);
        ++warp.pc;
        break;
      case Flow::kBranch: branch(warp, in, lanes); break;
      case Flow::kIndexedBranch: indexed_branch(warp, in, lanes); break;
      case Flow::kExit:
        if (lanes) retire_lanes(warp, lanes);
        ++warp.pc;
        break;
    }
  }
}

void Block::regroup(Warp& warp) {
  if (warp.active) warp.waiting.push_back({warp.pc, warp.active});
  if (warp.waiting.empty()) {
    warp.state = WarpState::kDone;
    return;
  }
  const auto by_pc = [](const LaneGroup& a, const LaneGroup& b) { return a.pc < b.pc; };
  const uint32_t lowest = std::min_element(warp.waiting.begin(), warp.waiting.end(), by_pc)->pc;
  warp.pc = lowest;
  warp.active = 0;
  std::erase_if(warp.waiting, [&](const LaneGroup& group) {
    if (group.pc != lowest) return false;
    warp.active |= group.lanes;
    return true;
  });
  warp.rejoin_pc = warp.waiting.empty()
                       ? Warp::kNoRejoin
                       : std::min_element(warp.waiting.begin(), warp.waiting.end(), by_pc)->pc;
}

void Block::branch(Warp& warp, const Instruction& in, uint32_t lanes) {
  const uint32_t stay = warp.active & ~lanes;
  if (stay == 0) {
    warp.pc = in.target;
    return;
  }
  ++warp.pc;
  if (lanes == 0) return;
  warp.wait_at(in.target, lanes);
  warp.active = stay;
}

void Block::indexed_branch(Warp& warp, const Instruction& in, uint32_t lanes) {
  const uint32_t* index = warp.at<uint32_t>(in.operand[0]);
  for_lanes(lanes, [&](int l) {
    if (index[l] >= static_cast<uint32_t>(in.immediate)) {
      abort(warp, in, l, Finding::kTrap, "brx.idx index outside its table");
    }
    warp.wait_at(program().branch_targets[in.target + index[l]], 1u << l);
  });
  warp.active &= ~lanes;
  ++warp.pc;
}

void Block::retire_lanes(Warp& warp, uint32_t lanes) {
  warp.active &= ~lanes;
  warp.alive &= ~lanes;
  if (warp.alive) return;
  warp.state = WarpState::kDone;
  alive_warps_ &= ~(1u << warp.index);
  for (uint32_t id = 0; id < kBarriers; ++id) release_if_complete(id);
}

std::string Block::where(const Warp& warp, int lane) const {
  const Dim3 grid = launch_->grid;
  std::string text = "block(" + std::to_string(index_ % grid.x) + "," +
                     std::to_string(index_ / grid.x % grid.y) + "," +
                     std::to_string(index_ / grid.x / grid.y) + ") ";
  if (lane < 0) return text + "warp " + std::to_string(warp.index);
  return text + "thread " + std::to_string(warp.index * kLanes + static_cast<uint32_t>(lane));
}

void Block::report(const Warp& warp, const Instruction& in, int lane, Finding kind,
                   const std::string& text, uint32_t salt, Fault fault) {
  const uint32_t pc = pc_of(in);
  const InstructionSource& source = program().sources[pc];
  const uint64_t key = uint64_t{pc} << 40 ^ uint64_t { salt } << 8 ^ static_cast<uint64_t>(kind);
  report_->add(key, fault, where(warp, lane),
               source.location->chain + ": " + text + " [" + source.quoted() + "]");
}

void Block::abort(const Warp& warp, const Instruction& in, int lane, Finding kind,
                  const std::string& text, Fault fault) {
  report(warp, in, lane, kind, text, 0, fault);
  throw KernelAbort{};
}

}  // namespace cudasim
