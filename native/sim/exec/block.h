// One thread block: its warps, shared memory and barriers, and the schedule that interleaves the
// warps.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "check/global_checker.h"
#include "check/profile.h"
#include "check/shared_checker.h"
#include "exec/launch.h"
#include "exec/warp.h"

namespace cudasim {

/** What kind of finding; with the instruction it makes the key that reports each one once per
 * launch. */
enum class Finding : uint8_t {
  kBounds,
  kAlignment,
  kRace,
  kUninitialised,
  kInFlight,
  kBarrier,
  kConvergence,
  kLeftoverCopy,
  kAssert,
  kTrap,
  kDeadlock,
};

/** Owned by one worker thread and reused for every block that it runs. */
class Block {
 public:
  static constexpr uint32_t kBarriers = 16;

  Block();

  /** Lays out registers for the launch. `profile` may be null. */
  void prepare(const Launch& launch, LaunchReport& report, LaunchProfile* profile);
  void run(uint32_t block_index);

  const Launch& launch() const { return *launch_; }
  const Program& program() const { return *launch_->program; }
  uint8_t* shared() { return shared_.get(); }
  uint32_t shared_bytes() const { return shared_bytes_; }
  const uint8_t* parameters() const { return launch_->parameters.data(); }
  uint32_t index() const { return index_; }
  const SyncClock& clock() const { return clock_; }

  /** Null while checks are off. */
  SharedChecker* shared_checker() { return is_checked_ ? &shared_checker_ : nullptr; }
  GlobalChecker* global_checker() { return is_checked_ ? &global_checker_ : nullptr; }
  LaunchProfile* profile() { return profile_; }

  uint32_t pc_of(const Instruction& in) const {
    return static_cast<uint32_t>(&in - program().code.data());
  }
  const std::string& location(uint32_t pc) const { return program().sources[pc].location->chain; }

  /** Records a finding at `in`; `salt` tells findings of one instruction apart. `lane` -1: the
   * whole warp. */
  void report(const Warp& warp, const Instruction& in, int lane, Finding kind,
              const std::string& text, uint32_t salt = 0, Fault fault = Fault::kLaunchFailed);
  /** As report(), then gives the block up. */
  [[noreturn]] void abort(const Warp& warp, const Instruction& in, int lane, Finding kind,
                          const std::string& text, Fault fault = Fault::kLaunchFailed);

  /** `thread_count` 0: all warps of the block. `arrive_only` does not wait. */
  void arrive_at_barrier(Warp& warp, const Instruction& in, uint32_t id, uint32_t thread_count,
                         bool arrive_only);
  void sync_warp(Warp& warp);
  void retire_lanes(Warp& warp, uint32_t lanes);

 private:
  struct Barrier {
    uint32_t waiting = 0;   // bit per warp
    uint32_t arrived = 0;   // as waiting, plus warps that did bar.arrive
    uint32_t expected = 0;  // warps; 0: all that are alive
  };

  void begin(uint32_t block_index);
  void fill_special_registers(Warp& warp);
  void run_warp(Warp& warp, uint64_t quantum);
  template <bool kProfiled>
  void run_warp_loop(Warp& warp, uint64_t quantum);
  void regroup(Warp& warp);
  void branch(Warp& warp, const Instruction& in, uint32_t lanes);
  void indexed_branch(Warp& warp, const Instruction& in, uint32_t lanes);
  void schedule();
  void release_if_complete(uint32_t id);
  void release(uint32_t id);
  void deliver_reduction(uint32_t warps);
  [[noreturn]] void report_deadlock();
  void report_leftover_copies();
  uint32_t next_random();
  std::string where(const Warp& warp, int lane) const;

  const Launch* launch_ = nullptr;
  LaunchReport* report_ = nullptr;
  LaunchProfile* profile_ = nullptr;
  bool is_checked_ = false;
  uint32_t index_ = 0;
  uint64_t steps_ = 0;
  uint64_t random_ = 0;
  uint32_t alive_warps_ = 0;  // bit per warp
  uint32_t shared_bytes_ = 0;

  struct FreeDeleter {
    void operator()(uint8_t* memory) const;
  };
  std::unique_ptr<uint8_t, FreeDeleter> shared_;
  std::unique_ptr<uint8_t, FreeDeleter> register_file_;
  size_t register_file_bytes_ = 0;
  std::vector<uint32_t> predicate_file_;
  std::vector<uint8_t> local_file_;
  std::vector<Warp> warps_;
  std::array<Barrier, kBarriers> barriers_;
  SyncClock clock_;
  SharedChecker shared_checker_;
  GlobalChecker global_checker_;
};

}  // namespace cudasim
