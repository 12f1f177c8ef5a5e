// A kernel ready to run: one handler per PTX instruction over registers that are 32 lanes wide.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "exec/special_registers.h"

namespace cudasim {

struct Warp;
struct Instruction;

/** Executes the instruction for the lanes whose bit is set; never called with none. */
using Handler = void (*)(Warp&, const Instruction&, uint32_t lanes);

enum class Space : uint8_t { kGlobal, kShared, kLocal, kParam, kGeneric };

enum class Flow : uint8_t { kNext, kBranch, kIndexedBranch, kExit };

struct Instruction {
  static constexpr int kMaxOperands = 14;

  Handler execute = nullptr;
  uint32_t operand[kMaxOperands] = {};  // byte offset of a register, or index of a predicate
  int64_t immediate = 0;
  uint32_t target = 0;  // kBranch: pc; kIndexedBranch: first entry of Program::branch_targets
  int32_t guard = -1;   // predicate that masks the lanes, or -1
  bool guard_negated = false;
  bool wide_address = false;  // the address register has 8 bytes
  Flow flow = Flow::kNext;
  Space space = Space::kGlobal;
  uint8_t count = 0;  // elements of a vector access, variants of an opcode
  uint8_t width = 0;  // bytes per element
  uint8_t mode = 0;   // meaning depends on the opcode
};

/** What profile mode counts an instruction as. */
enum class InstructionClass : uint8_t { kOther, kMma, kLdmatrix, kAsyncCopy, kBarrier };

/** A source line, shared by its instructions. */
struct SourceLocation {
  std::string
      chain;         // "ptx.cuh:81 < gemm.cuh:40 < matmul.cu:12": the line and where it was inlined
  std::string file;  // the first of these
  uint32_t line = 0;
};

/** Where an instruction came from; apart from Instruction to keep the hot loop small. */
struct InstructionSource {
  std::shared_ptr<const SourceLocation> location;
  std::string_view text;  // of Program::ptx
  InstructionClass kind = InstructionClass::kOther;

  /** The instruction on one line. */
  std::string quoted() const;
};

struct Program {
  struct Parameter {
    uint32_t offset, bytes;
  };
  struct Special {
    SpecialRegister what;
    uint32_t slot;
    uint8_t bytes;
  };

  std::string name;
  std::shared_ptr<const std::string> ptx;
  std::vector<Instruction> code;
  std::vector<InstructionSource> sources;
  std::vector<uint32_t> branch_targets;
  std::vector<Parameter> parameters;
  uint32_t parameter_bytes = 0;
  uint32_t register_bytes = 0;     // of one warp
  std::vector<uint8_t> constants;  // initial contents of the first registers
  std::vector<Special> specials;
  uint32_t predicate_count = 0;      // the first two are constant false and true
  uint32_t static_shared_bytes = 0;  // dynamic shared memory starts here
  uint32_t local_bytes = 0;          // per thread
  uint32_t max_threads = 1024;
};

}  // namespace cudasim
