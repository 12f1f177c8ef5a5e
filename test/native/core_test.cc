// The parts of native/core on their own: conversions, allocator, stream, transfers and thread pool.
#include <sched.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "../../native/core/allocator.h"
#include "../../native/core/dtype.h"
#include "../../native/core/meta_device.h"
#include "../../native/core/stream.h"
#include "../../native/core/thread_pool.h"
#include "../../native/core/transfer.h"

namespace framepack {
namespace {

int num_failures = 0;

void expect(bool is_true, const char* what) {
  if (is_true) return;
  std::printf("failed: %s\n", what);
  ++num_failures;
}

// The code of the Error that `body` throws, or "".
template <typename Body>
std::string code_of(Body body) {
  try {
    body();
  } catch (const Error& error) {
    return error.code();
  }
  return "";
}

void test_conversions() {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const float f16 = f16_to_f32(half);
    const float bf16 = bf16_to_f32(half);
    if (f16 == f16) expect(f32_to_f16(f16) == half, "f16 comes back");
    if (bf16 == bf16) expect(f32_to_bf16(bf16) == half, "bf16 comes back");
  }
  for (uint32_t bits = 0; bits < 256; ++bits) {
    const float f8 = f8e4m3_to_f32(static_cast<uint8_t>(bits));
    if (f8 == f8) expect(f32_to_f8e4m3(f8) == bits, "f8e4m3 comes back");
  }
  expect(f32_to_bf16(float_of_bits(0x3f808000u)) == 0x3f80, "bf16 ties to even, down");
  expect(f32_to_bf16(float_of_bits(0x3f818000u)) == 0x3f82, "bf16 ties to even, up");
  expect(f32_to_f16(65519.996f) == 0x7bff && f32_to_f16(65520.0f) == 0x7c00, "f16 overflow");
  expect(f32_to_f16(0x1p-25f) == 0 && f32_to_f16(0x1.8p-25f) == 1, "f16 subnormals");
  expect(f32_to_f8e4m3(1e9f) == 0x7e && f32_to_f8e4m3(-1e9f) == 0xfe, "f8e4m3 saturates");
  expect(f32_to_i32(3e9f) == INT32_MAX && f32_to_i32(-1.9f) == -1, "i32 saturates, truncates");
  expect(f32_to_u8(-3.0f) == 0 && f32_to_u8(300.0f) == 255, "u8 saturates");
}

// Hands out addresses, remembers what is out, and fails on demand.
class FakeSource final : public MemorySource {
 public:
  explicit FakeSource(size_t capacity) : capacity_(capacity) {}
  ~FakeSource() override { expect(blocks_.empty(), "every block goes back to its source"); }

  void* allocate(size_t bytes) override {
    if (used_ + bytes > capacity_) return nullptr;
    used_ += bytes;
    void* block = reinterpret_cast<void*>(next_ += 1 << 20);
    blocks_.emplace(block, bytes);
    return block;
  }
  void release(void* block) override { deferred_.push_back(block); }
  void drain() override {
    for (void* block : deferred_) {
      used_ -= blocks_.at(block);
      blocks_.erase(block);
    }
    deferred_.clear();
  }
  size_t num_blocks() const { return blocks_.size(); }

 private:
  size_t capacity_;
  size_t used_ = 0;
  uintptr_t next_ = 0;
  std::map<void*, size_t> blocks_;
  std::vector<void*> deferred_;
};

void test_allocator_counts() {
  FakeSource source(size_t{1} << 40);
  Allocator allocator(&source, 10000);
  const Block a = allocator.allocate(1);
  const Block b = allocator.allocate(257);
  const Block none = allocator.allocate(0);
  expect(a.bytes == 256 && b.bytes == 512 && none.data == nullptr, "steps of 256 bytes");
  expect(allocator.stats().current_bytes == 768 && allocator.stats().live_blocks == 3, "counts");
  expect(code_of([&] { allocator.allocate(9985); }) == kErrOutOfMemory, "the budget holds");
  expect(code_of([&] { allocator.allocate(SIZE_MAX); }) == kErrOutOfMemory, "no overflow");
  const Block file = allocator.charge(1000);
  expect(allocator.stats().current_bytes == 768 + 1024, "charged memory counts");
  allocator.discharge(file);
  allocator.release(a);
  allocator.release(none);
  expect(allocator.stats().peak_bytes == 1792 && allocator.stats().live_blocks == 1, "peak stays");
  allocator.reset_peak();
  expect(allocator.stats().peak_bytes == 512, "peak restarts");
  allocator.release_all();
  expect(allocator.stats().current_bytes == 0 && allocator.stats().live_blocks == 0, "all is back");
  source.drain();
}

void test_allocator_cache() {
  FakeSource source(size_t{1} << 40);
  Allocator allocator(&source, Allocator::kNoBudget);
  const Block a = allocator.allocate(1000);
  allocator.release(a);
  const Block again = allocator.allocate(990);
  expect(again.data == a.data, "a freed block is reused at once");
  allocator.release(again);
  const Block small = allocator.allocate(256);
  expect(small.data != a.data, "but not when most of it would be wasted");
  allocator.release(small);
  allocator.release_all();
  source.drain();
}

void test_allocator_limits() {
  constexpr size_t kMib = size_t{1} << 20;
  FakeSource source(100 * kMib);
  Allocator allocator(&source, Allocator::kNoBudget);
  allocator.release(allocator.allocate(90 * kMib));
  const Block other = allocator.allocate(20 * kMib);
  expect(other.data != nullptr, "a full source gets the cache back and is asked again");
  expect(code_of([&] { allocator.allocate(90 * kMib); }) == kErrOutOfMemory, "then it is over");
  expect(allocator.stats().current_bytes == 20 * kMib, "a failure counts nothing");
  allocator.release(other);
  allocator.release_all();
  source.drain();

  // Blocks of ever new sizes must not pile up in the cache: 1.25 times the peak and 64 MiB.
  FakeSource wide(size_t{1} << 40);
  Allocator growing(&wide, Allocator::kNoBudget);
  for (size_t size = 64; size <= 128; ++size) growing.release(growing.allocate(size * 4 * kMib));
  wide.drain();
  expect(wide.num_blocks() < 4, "the cache is bounded");
  growing.release_all();
  wide.drain();
}

void test_stream_order_and_errors() {
  Stream stream(false);
  std::vector<int> order;
  for (int i = 0; i < 100; ++i) stream.enqueue("op", [&order, i] { order.push_back(i); });
  stream.drain();
  bool is_sorted = order.size() == 100;
  for (size_t i = 0; i < order.size(); ++i) is_sorted &= order[i] == static_cast<int>(i);
  expect(is_sorted, "tasks run in order");

  stream.enqueue("first", [] { throw std::bad_alloc(); });
  stream.enqueue("second", [] { throw Error(kErrInternal, "second", "later"); });
  bool has_run = false;
  stream.enqueue("third", [&] { has_run = true; });
  ErrorPtr one, two, three;
  stream.complete([&](ErrorPtr error) { one = error; });
  stream.complete([&](ErrorPtr error) { two = error; });
  stream.drain();
  expect(has_run, "tasks after a failure run");
  expect(one && one->code() == std::string(kErrOutOfMemory) && one->op() == "first",
         "the first error is kept, with its operation");
  expect(one == two, "every completion gets it until it is acknowledged");
  stream.acknowledge(one);
  stream.complete([&](ErrorPtr error) { three = error; });
  stream.drain();
  expect(three == nullptr, "then the stream is clean");
}

void test_stream_settles() {
  Stream stream(false);
  expect(stream.has_settled(), "a new stream has settled");
  const auto gate = std::make_shared<Transfer>(0);
  stream.enqueue("gate", [gate] { gate->wait(); });
  expect(!stream.has_settled(), "not while a task waits or runs");
  gate->finish(nullptr);
  bool was_settled = false;
  stream.complete([&](ErrorPtr) { was_settled = stream.has_settled(); });
  stream.drain();
  expect(was_settled, "whoever waits sees that all before has run");
  stream.enqueue("op", [] { throw Error(kErrInternal, "op", "broken"); });
  ErrorPtr error;
  stream.complete([&](ErrorPtr kept) { error = kept; });
  stream.drain();
  expect(!stream.has_settled(), "not with an error that nobody has acknowledged");
  stream.acknowledge(error);
  expect(stream.has_settled(), "then it has");
}

void test_stream_end() {
  std::atomic<int> num_run{0};
  const auto owned = std::make_shared<int>(0);
  {
    Stream stream(false);
    const auto gate = std::make_shared<Transfer>(0);
    stream.enqueue("gate", [gate] { gate->wait(); });
    for (int i = 0; i < 10; ++i) stream.enqueue("op", [&num_run, owned] { ++num_run; });
    stream.cancel();
    gate->finish(nullptr);
    stream.stop();
    expect(num_run == 0 && owned.use_count() == 1, "cancelled tasks are thrown away");
    stream.enqueue("late", [&num_run] { ++num_run; });
    stream.drain();
    expect(num_run == 0, "so are later ones, and nobody waits for them");
  }
  Stream synchronous(true);
  expect(code_of([&] {
           synchronous.enqueue("op", [] { throw Error(kErrInternal, "op", "now"); });
         }) == kErrInternal,
         "a synchronous stream throws at the call");
  synchronous.enqueue("op", [] {});
}

// Two streams that wait for each other's data can be stopped in any order.
void test_transfer_between_stopped_streams() {
  Stream source(false);
  Stream target(false);
  const auto gate = std::make_shared<Transfer>(0);
  source.enqueue("gate", [gate] { gate->wait(); });
  const auto transfer = std::make_shared<Transfer>(64);
  ErrorPtr received;
  {
    const auto producer = std::make_shared<TransferProducer>(transfer);
    source.enqueue("read", [producer] { producer->finish(nullptr); });
  }
  target.enqueue("upload", [transfer, &received] { received = transfer->wait(); });
  target.cancel();
  source.cancel();
  gate->finish(nullptr);
  target.stop();
  source.stop();
  expect(!received || received->code() == std::string(kErrAborted), "the transfer is abandoned");
  const ErrorPtr error = transfer->wait();
  expect(error && error->code() == std::string(kErrAborted), "and nobody waits for ever");
  expect(code_of([] { Transfer huge(size_t{1} << 60); }) == kErrOutOfMemory, "staging may fail");
}

void test_thread_pool() {
  expect(ThreadPool::default_size() >= 1, "at least one thread");
  for (const int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    expect(pool.size() == threads, "size counts the caller");
    std::atomic<bool> is_complete{true};
    for (int round = 0; round < 2000; ++round) {
      std::vector<std::atomic<int>> hits(static_cast<size_t>(round % 17));
      pool.parallel_for(static_cast<int64_t>(hits.size()), [&](int64_t task, int worker) {
        if (worker < 0 || worker >= threads) is_complete = false;
        ++hits[static_cast<size_t>(task)];
      });
      for (const auto& count : hits) {
        if (count != 1) is_complete = false;
      }
    }
    expect(is_complete, "every task runs once, on a known worker");
    bool has_thrown = false;
    try {
      pool.parallel_for(100, [](int64_t task, int) {
        if (task == 50) throw std::runtime_error("task");
      });
    } catch (const std::runtime_error&) {
      has_thrown = true;
    }
    expect(has_thrown, "the exception of a task reaches the caller");
    pool.cancel();
    std::atomic<int> num_run{0};
    pool.parallel_for(100, [&](int64_t, int) { ++num_run; });
    expect(num_run == 0, "a cancelled pool skips tasks");
  }
}

// The processors that each worker of a pool of `threads` may use.
std::vector<cpu_set_t> processors_of_workers(int threads) {
  std::vector<cpu_set_t> result(static_cast<size_t>(threads));
  ThreadPool pool(threads);
  std::thread caller([&] {
    pool.pin(0);
    std::atomic<int> missing{threads};
    pool.parallel_for(threads, [&](int64_t, int worker) {
      sched_getaffinity(0, sizeof(cpu_set_t), &result[static_cast<size_t>(worker)]);
      --missing;
      while (missing > 0) std::this_thread::sleep_for(std::chrono::microseconds(100));
    });
  });
  caller.join();
  return result;
}

void test_pinning() {
  cpu_set_t allowed;
  sched_getaffinity(0, sizeof allowed, &allowed);
  int num_pinned = 0;
  for (int threads = 2; threads <= CPU_COUNT(&allowed) + 1; ++threads) {
    cpu_set_t all;
    CPU_ZERO(&all);
    int total = 0, full = 0;
    for (const cpu_set_t& processors : processors_of_workers(threads)) {
      CPU_OR(&all, &all, &processors);
      total += CPU_COUNT(&processors);
      if (CPU_EQUAL(&processors, &allowed)) ++full;
    }
    expect(CPU_EQUAL(&all, &allowed), "a pool uses all processors that it may use");
    if (full == threads) continue;
    ++num_pinned;
    expect(total == CPU_COUNT(&allowed), "pinned workers share no processor");
    expect(threads >= ThreadPool::default_size(), "a pool smaller than the machine is not pinned");
  }
  expect(num_pinned == 1 || ThreadPool::default_size() == 1, "one size is pinned");
}

void test_device_life() {
  const auto device = std::make_shared<MetaDevice>(Allocator::kNoBudget);
  auto buffer = device->allocate(100);
  expect(buffer->bytes() == 100 && device->memory().current_bytes == 256, "buffers are counted");
  device->shut_down();
  device->shut_down();
  expect(device->is_closed() && device->memory().live_blocks == 0, "shutting down frees all");
  expect(code_of([&] { device->check_open("op"); }) == kErrDisposed, "a closed device says so");
  buffer.reset();
  expect(device->memory().live_blocks == 0, "a buffer may outlive the work of its device");
}

}  // namespace
}  // namespace framepack

int main() {
  using namespace framepack;
  test_conversions();
  test_allocator_counts();
  test_allocator_cache();
  test_allocator_limits();
  test_stream_order_and_errors();
  test_stream_settles();
  test_stream_end();
  test_transfer_between_stopped_streams();
  test_thread_pool();
  test_pinning();
  test_device_life();
  if (num_failures == 0) std::printf("core: all checks passed\n");
  return num_failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
