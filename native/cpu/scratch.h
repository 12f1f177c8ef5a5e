// Working memory of the CPU kernels: one shared buffer and one buffer per worker, kept between
// operations and grown on demand. Contents do not survive the operation.
#pragma once
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>
#include <vector>

#include "host_memory.h"

namespace framepack::cpu {

class Scratch {
 public:
  explicit Scratch(int workers) : workers_(static_cast<size_t>(workers)) {}

  // Both return 64-byte aligned memory, valid until the next call for the same buffer.
  void* shared(size_t bytes) { return shared_.reserve(bytes); }
  void* of_worker(int worker, size_t bytes) {
    return workers_[static_cast<size_t>(worker)].reserve(bytes);
  }

 private:
  class Block {
   public:
    void* reserve(size_t bytes) {
      if (bytes > capacity_) {
        data_.reset();
        capacity_ = 0;
        data_.reset(allocate_pages(bytes));
        if (!data_) throw std::bad_alloc();
        capacity_ = bytes;
      }
      return data_.get();
    }

   private:
    struct Free {
      void operator()(void* data) const { std::free(data); }
    };
    std::unique_ptr<void, Free> data_;
    size_t capacity_ = 0;
  };

  Block shared_;
  std::vector<Block> workers_;
};

}  // namespace framepack::cpu
