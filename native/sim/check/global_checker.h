// Byte-exact race and initialisation checks of device memory, within a block and between blocks of
// a launch.
#pragma once

#include <cstdint>

#include "check/shared_checker.h"

namespace cudasim {

class GlobalChecker {
 public:
  /** One lane's access of at most 16 aligned bytes inside a live allocation. */
  void access(Warp& warp, const Instruction& in, int lane, uint64_t address, uint32_t bytes,
              AccessKind kind);

  /** Forgets all accesses. Only while no kernel runs. */
  static void forget_all();

 private:
  struct Record;
  struct Cell;
  struct Accessor;
  struct Shadow;

  static void visit(const Accessor& by, Cell& cell, uint64_t address);
  static void visit_word(const Accessor& by, Cell& word, uint64_t word_address, uint32_t first,
                         uint32_t count);
};

}  // namespace cudasim
