// framepack_limits: measures what this machine can do at most, on request, so that a benchmark can ask between two of
// its samples. Prints one line of JSON with the probes there are, then answers every line `<index> <threads>
// <milliseconds>` with the sum of the rates of all threads, per second that they ran. Ends with its input.
#include <atomic>
#include <cstdio>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

#include "bench/limits/clock.h"
#include "bench/limits/memory.h"
#include "bench/limits/probes.h"

namespace framepack::limits {
namespace {

struct Probe {
  const char* name;
  const char* isa;
  const char* dtype;
  const char* unit;
  // Per second, of one thread of `threads` that start together.
  std::function<double(int threads, double seconds, const std::function<void()>& start)> measure;
};

double flops(const RegisterProbe& probe, double seconds, const std::function<void()>& start) {
  // A look at the clock is a system call, and vectors run slower for some microseconds after it.
  constexpr int64_t kSteps = 20000;
  probe.run(kSteps);
  start();
  int64_t rounds = 0;
  const double begin = now();
  double elapsed = 0;
  for (; elapsed < seconds; elapsed = now() - begin) {
    probe.run(kSteps);
    ++rounds;
  }
  return static_cast<double>(rounds * kSteps) * probe.flops_per_step / elapsed;
}

std::vector<Probe> probes() {
  std::vector<Probe> list;
  const RegisterProbe* const registers[] = {
#if defined(FRAMEPACK_LIMITS_AVX2)
      &kFmaAvx2,
#endif
#if defined(FRAMEPACK_LIMITS_AVX512)
      &kFmaAvx512,     &kDotAvx512Bf16,
#endif
#if defined(FRAMEPACK_LIMITS_FP16)
      &kFmaAvx512Fp16,
#endif
#if defined(FRAMEPACK_LIMITS_AMX)
      &kTilesAmx,
#endif
      nullptr,
  };
  for (const RegisterProbe* probe : registers) {
    if (probe == nullptr || !probe->available()) continue;
    list.push_back({probe->name, probe->isa, probe->dtype, "flop/s",
                    [probe](int, double seconds, const std::function<void()>& start) {
                      return flops(*probe, seconds, start);
                    }});
  }
  const std::pair<const char*, Level> levels[] = {
      {"read L1", Level::kL1},
      {"read L2", Level::kL2},
      {"read L3", Level::kL3},
      {"read DRAM", Level::kDram},
  };
  for (const auto& [name, level] : levels) {
    list.push_back({name, "", "", "B/s",
                    [level](int threads, double seconds, const std::function<void()>& start) {
                      const Stream stream(working_set(level, threads));
                      start();
                      return stream.read(seconds);
                    }});
  }
  list.push_back({"copy DRAM", "", "", "B/s",
                  [](int threads, double seconds, const std::function<void()>& start) {
                    const Stream stream(working_set(Level::kDram, threads));
                    start();
                    return stream.copy(seconds);
                  }});
  return list;
}

double measure(const Probe& probe, int threads, double seconds) {
  std::atomic<int> waiting{threads};
  const auto start = [&] {
    waiting.fetch_sub(1);
    while (waiting.load() > 0) std::this_thread::yield();
  };
  std::vector<double> rates(static_cast<size_t>(threads));
  std::vector<std::thread> workers;
  for (double& rate : rates) {
    workers.emplace_back([&] { rate = probe.measure(threads, seconds, start); });
  }
  for (std::thread& worker : workers) worker.join();
  double sum = 0;
  for (double rate : rates) sum += rate;
  return sum;
}

void announce(const std::vector<Probe>& list) {
  std::printf("{\"probes\":[");
  const char* separator = "";
  for (const Probe& probe : list) {
    std::printf("%s{\"name\":\"%s\",\"isa\":\"%s\",\"dtype\":\"%s\",\"unit\":\"%s\"}", separator,
                probe.name, probe.isa, probe.dtype, probe.unit);
    separator = ",";
  }
  std::printf("]}\n");
  std::fflush(stdout);
}

int serve() {
  const std::vector<Probe> list = probes();
  announce(list);
  size_t index = 0;
  int threads = 0;
  double milliseconds = 0;
  while (std::scanf("%zu %d %lf", &index, &threads, &milliseconds) == 3) {
    if (index >= list.size() || threads < 1) return 2;
    std::printf("{\"rate\":%.6g}\n", measure(list[index], threads, milliseconds / 1000));
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace framepack::limits

int main() { return framepack::limits::serve(); }
