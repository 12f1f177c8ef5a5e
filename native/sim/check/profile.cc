#include "check/profile.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <utility>

#include "exec/warp.h"
#include "settings.h"

namespace cudasim {
namespace {

constexpr uint64_t kSectorBytes = 32;

// Totals of the instructions that share source line, opcode and kind of memory.
struct Line {
  std::string file, location, opcode;
  uint32_t line = 0;
  InstructionProfile sum;
};

struct Totals {
  uint64_t instructions = 0, mma = 0, ldmatrix = 0, async_copies = 0, barriers = 0;
};

void accumulate(InstructionProfile& into, const InstructionProfile& from) {
  into.executions += from.executions;
  into.sectors += from.sectors;
  into.ideal_sectors += from.ideal_sectors;
  into.wavefronts += from.wavefronts;
  into.ideal_wavefronts += from.ideal_wavefronts;
}

std::string opcode_of(const std::string& text) {
  size_t begin = 0;
  if (!text.empty() && text[0] == '@') begin = text.find(' ') + 1;
  return text.substr(begin, text.find_first_of(" ;", begin) - begin);
}

std::vector<Line> memory_lines(const Program& program, const std::vector<InstructionProfile>& all) {
  std::map<std::pair<std::string, std::string>, Line> lines;
  for (size_t pc = 0; pc < all.size(); ++pc) {
    if (all[pc].sectors == 0 && all[pc].wavefronts == 0) continue;
    const InstructionSource& source = program.sources[pc];
    const std::string opcode = opcode_of(source.quoted());
    Line& line = lines[{source.location->chain, opcode}];
    line.file = source.location->file;
    line.line = source.location->line;
    line.location = source.location->chain;
    line.opcode = opcode;
    accumulate(line.sum, all[pc]);
  }
  std::vector<Line> result;
  for (auto& [key, line] : lines) result.push_back(std::move(line));
  return result;
}

Totals totals_of(const Program& program, const std::vector<InstructionProfile>& all) {
  Totals totals;
  for (size_t pc = 0; pc < all.size(); ++pc) {
    totals.instructions += all[pc].executions;
    switch (program.sources[pc].kind) {
      case InstructionClass::kMma: totals.mma += all[pc].executions; break;
      case InstructionClass::kLdmatrix: totals.ldmatrix += all[pc].executions; break;
      case InstructionClass::kAsyncCopy: totals.async_copies += all[pc].executions; break;
      case InstructionClass::kBarrier: totals.barriers += all[pc].executions; break;
      case InstructionClass::kOther: break;
    }
  }
  return totals;
}

double ratio(uint64_t a, uint64_t b) {
  return b ? static_cast<double>(a) / static_cast<double>(b) : 0;
}

template <typename... Args>
void append(std::string& out, const char* format, Args... args) {
  char buffer[1024];
  std::snprintf(buffer, sizeof buffer, format, args...);
  out += buffer;
}

std::string escaped(const std::string& text) {
  std::string result;
  for (char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

using Count = unsigned long long;

}  // namespace

void LaunchProfile::global_access(uint32_t pc, uint32_t lanes, const uint64_t* addresses,
                                  uint32_t bytes) {
  std::array<uint64_t, 2 * kLanes> sectors;
  size_t count = 0;
  for_lanes(lanes, [&](int l) {
    sectors[count++] = addresses[l] / kSectorBytes;
    sectors[count++] = (addresses[l] + bytes - 1) / kSectorBytes;
  });
  std::sort(sectors.begin(), sectors.begin() + static_cast<long>(count));
  const auto end = std::unique(sectors.begin(), sectors.begin() + static_cast<long>(count));
  lines_[pc].sectors += static_cast<uint64_t>(end - sectors.begin());
  lines_[pc].ideal_sectors +=
      (static_cast<uint64_t>(std::popcount(lanes)) * bytes + kSectorBytes - 1) / kSectorBytes;
}

void LaunchProfile::shared_access(uint32_t pc, uint32_t lanes, const uint32_t* offsets,
                                  uint32_t bytes) {
  // One pass serves 32 lanes of up to 4 bytes, 16 of 8 or 8 of 16; two words of a bank need two
  // passes.
  const uint32_t group = bytes <= 4 ? 32 : bytes == 8 ? 16 : 8;
  for (uint32_t first = 0; first < kLanes; first += group) {
    std::array<uint32_t, 32> words;
    size_t count = 0;
    for (uint32_t l = first; l < first + group; ++l) {
      if (!(lanes >> l & 1)) continue;
      for (uint32_t w = 0; w < (bytes + 3) / 4; ++w) words[count++] = offsets[l] / 4 + w;
    }
    if (count == 0) continue;
    std::sort(words.begin(), words.begin() + static_cast<long>(count));
    const auto end = std::unique(words.begin(), words.begin() + static_cast<long>(count));
    std::array<uint32_t, 32> per_bank{};
    for (auto word = words.begin(); word != end; ++word) ++per_bank[*word % 32];
    lines_[pc].wavefronts += *std::max_element(per_bank.begin(), per_bank.end());
    lines_[pc].ideal_wavefronts += 1;
  }
}

ProfileLog& ProfileLog::instance() {
  static ProfileLog& log = *new ProfileLog;
  static const struct AtExit {
    ~AtExit() { log.write(); }
  } at_exit;
  return log;
}

void ProfileLog::add(const std::shared_ptr<const Program>& program, uint64_t blocks,
                     const std::vector<std::unique_ptr<LaunchProfile>>& parts) {
  std::lock_guard lock(mutex_);
  Kernel& kernel = kernels_[program->name];
  if (kernel.program != program) kernel = Kernel{program, 0, 0, {}};
  kernel.lines.resize(program->code.size());
  ++kernel.launches;
  kernel.blocks += blocks;
  for (const auto& part : parts) {
    for (size_t pc = 0; pc < kernel.lines.size(); ++pc)
      accumulate(kernel.lines[pc], part->lines()[pc]);
  }
}

void ProfileLog::clear() {
  std::lock_guard lock(mutex_);
  kernels_.clear();
}

std::string ProfileLog::as_json() const {
  std::string out = "{\n  \"kernels\": [";
  const char* kernel_separator = "";
  for (const auto& [name, kernel] : kernels_) {
    const Totals totals = totals_of(*kernel.program, kernel.lines);
    append(
        out,
        "%s\n    {\n      \"name\": \"%s\",\n      \"launches\": %llu,\n      \"blocks\": %llu,\n",
        kernel_separator, escaped(name).c_str(), Count{kernel.launches}, Count{kernel.blocks});
    append(out,
           "      \"warpInstructions\": %llu,\n      \"mma\": %llu,\n      \"ldmatrix\": %llu,\n",
           Count{totals.instructions}, Count{totals.mma}, Count{totals.ldmatrix});
    append(out,
           "      \"asyncCopies\": %llu,\n      \"barriers\": %llu,\n      \"instructionsPerMma\": "
           "%.3f,\n",
           Count{totals.async_copies}, Count{totals.barriers},
           ratio(totals.instructions, totals.mma));
    out += "      \"lines\": [";
    const char* separator = "";
    for (const Line& line : memory_lines(*kernel.program, kernel.lines)) {
      append(out,
             "%s\n        {\"file\": \"%s\", \"line\": %u, \"location\": \"%s\", \"opcode\": "
             "\"%s\", \"executions\": %llu",
             separator, escaped(line.file).c_str(), line.line, escaped(line.location).c_str(),
             line.opcode.c_str(), Count{line.sum.executions});
      if (line.sum.ideal_sectors) {
        append(out, ", \"sectors\": %llu, \"sectorsPerIdeal\": %.3f", Count{line.sum.sectors},
               ratio(line.sum.sectors, line.sum.ideal_sectors));
      }
      if (line.sum.ideal_wavefronts) {
        append(out, ", \"wavefronts\": %llu, \"wavefrontsPerIdeal\": %.3f",
               Count{line.sum.wavefronts}, ratio(line.sum.wavefronts, line.sum.ideal_wavefronts));
      }
      out += "}";
      separator = ",";
    }
    out += "\n      ]\n    }";
    kernel_separator = ",";
  }
  return out + "\n  ]\n}\n";
}

std::string ProfileLog::as_table() const {
  std::string out;
  for (const auto& [name, kernel] : kernels_) {
    const Totals totals = totals_of(*kernel.program, kernel.lines);
    append(out,
           "%s: %llu launches, %llu blocks, %llu warp instructions, %llu mma (%.1f instructions "
           "each), ",
           name.c_str(), Count{kernel.launches}, Count{kernel.blocks}, Count{totals.instructions},
           Count{totals.mma}, ratio(totals.instructions, totals.mma));
    append(out, "%llu ldmatrix, %llu cp.async, %llu barriers\n", Count{totals.ldmatrix},
           Count{totals.async_copies}, Count{totals.barriers});
    for (const Line& line : memory_lines(*kernel.program, kernel.lines)) {
      append(out, "  %s %s executions %llu", line.location.c_str(), line.opcode.c_str(),
             Count{line.sum.executions});
      if (line.sum.ideal_sectors) {
        append(out, "  sectors/ideal %.2f", ratio(line.sum.sectors, line.sum.ideal_sectors));
      }
      if (line.sum.ideal_wavefronts) {
        append(out, "  wavefronts/ideal %.2f",
               ratio(line.sum.wavefronts, line.sum.ideal_wavefronts));
      }
      out += "\n";
    }
  }
  return out;
}

bool ProfileLog::write() const {
  std::lock_guard lock(mutex_);
  std::string path = settings().profile;
  if (path.empty() || kernels_.empty()) return true;
  if (path == "stderr") {
    std::fputs(as_table().c_str(), stderr);
    return true;
  }
  if (const size_t at = path.find("%p"); at != std::string::npos) {
    path.replace(at, 2, std::to_string(getpid()));
  }
  std::FILE* file = std::fopen(path.c_str(), "w");
  if (!file) {
    std::fprintf(stderr, "cuda_sim: cannot write the profile to %s\n", path.c_str());
    return false;
  }
  std::fputs(as_json().c_str(), file);
  return std::fclose(file) == 0;
}

}  // namespace cudasim
