// Exact per-source-line costs that need no hardware: memory sectors, shared-memory wavefronts,
// instruction counts.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "exec/program.h"

namespace cudasim {

struct InstructionProfile {
  uint64_t executions = 0;                        // by a warp
  uint64_t sectors = 0, ideal_sectors = 0;        // 32 bytes of global memory
  uint64_t wavefronts = 0, ideal_wavefronts = 0;  // passes over the 32 shared-memory banks
};

/** Counts of one worker during one launch; indexed by pc. */
class LaunchProfile {
 public:
  explicit LaunchProfile(size_t instructions) : lines_(instructions) {}

  void execute(uint32_t pc) { ++lines_[pc].executions; }
  void global_access(uint32_t pc, uint32_t lanes, const uint64_t* addresses, uint32_t bytes);
  void shared_access(uint32_t pc, uint32_t lanes, const uint32_t* offsets, uint32_t bytes);
  const std::vector<InstructionProfile>& lines() const { return lines_; }

 private:
  std::vector<InstructionProfile> lines_;
};

/** Sums over all launches; written when the library is unloaded, by cudaSimReset() or
 * cudaSimWriteProfile(). */
class ProfileLog {
 public:
  static ProfileLog& instance();

  void add(const std::shared_ptr<const Program>& program, uint64_t blocks,
           const std::vector<std::unique_ptr<LaunchProfile>>& parts);
  /** To Settings::profile; nothing when empty. Returns false when the file cannot be written. */
  bool write() const;
  void clear();

 private:
  struct Kernel {
    std::shared_ptr<const Program> program;
    uint64_t launches = 0, blocks = 0;
    std::vector<InstructionProfile> lines;
  };

  std::string as_json() const;
  std::string as_table() const;

  mutable std::mutex mutex_;
  std::map<std::string, Kernel> kernels_;
};

}  // namespace cudasim
