// What the cases of every family share: operands that live on both sides, and the comparison.
#pragma once
#include <cstdint>
#include <cstdio>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "../device/dtype.h"
#include "case_file.h"
#include "driver.h"

namespace framepack::test {

// An array of exactly `count` elements on the host and on the device, so that one element too far is an
// error of the checked driver.
class Operand {
 public:
  Operand() = default;
  Operand(Driver& driver, DType dtype, long long count);
  ~Operand();
  Operand(Operand&& other) noexcept;
  Operand& operator=(Operand&& other) noexcept;

  void* host() { return bytes_.data(); }
  void* device() const { return device_; }
  DType dtype() const { return dtype_; }
  long long count() const { return count_; }

  void upload();
  std::vector<unsigned char> download() const;

 private:
  Driver* driver_ = nullptr;
  DType dtype_ = DType::kF32;
  long long count_ = 0;
  std::vector<unsigned char> bytes_;
  void* device_ = nullptr;
};

class Session {
 public:
  // In `case_files` a % stands for the family.
  // `hash_file`, unless empty, gets a line "<hash> <kernel> <case>" for every comparison: FNV-1a of the
  // result's bytes, so that two drivers can be told apart bit by bit.
  Session(Driver& driver, std::string case_files, const std::string& hash_file);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  Driver& driver() { return driver_; }
  // Without the tolerances, and without the cases for benchmarks.
  std::vector<Case> cases(const char* family) const;
  // The error of the line "tolerance": name.
  double tolerance(const char* family, const std::string& name) const;

  // `rows` rows of `width` values, `stride` apart, uniform in [low, high]; the gaps between rows are NaN.
  Operand matrix(DType dtype, long long rows, long long width, long long stride, double low = -1,
                 double high = 1);
  Operand vector(DType dtype, long long count, double low = -1, double high = 1) {
    return matrix(dtype, 1, count, count, low, high);
  }
  Operand integers(const std::vector<long long>& values);

  // Launches on fresh output bytes and compares with what the oracle wrote to `expected`: bytes that the
  // oracle left alone must be left alone, the others agree within `tolerance` as relative error.
  void compare(const std::string& name, const Launch& launch, const void* args, Operand& expected,
               const std::vector<unsigned char>& untouched, double tolerance);
  // Counts and prints one comparison; an empty fault means that it holds.
  void record(const std::string& name, const char* kernel, double error, const std::string& fault);
  // The bits of a result, for --hashes.
  void hash(const std::string& name, const char* kernel, const std::vector<unsigned char>& bytes);
  void skip(const std::string& name, const char* reason);

  int failed() const { return failed_; }
  int report() const;

 private:
  Driver& driver_;
  std::string case_files_;
  std::FILE* hashes_ = nullptr;
  std::mt19937 random_{20240517};
  std::set<std::string> kernels_;
  int passed_ = 0, failed_ = 0, skipped_ = 0;
};

// Plans for a device whose every multiprocessor is busy with one tile, and for one that has far too many:
// between them, every tile size of a family is chosen.
std::vector<DeviceTraits> trait_variants(const DeviceTraits& device);

// Oracle and kernel round the same sum once, so they differ where an f32 sum and an f64 sum lie on two sides
// of a tie: a few elements by one unit. 1e-3, 1e-4 and 1e-5 for bf16, f16 and f32.
double tolerance_of(DType out);

void test_matmul(Session& session);
void test_attention(Session& session);
void test_conv3d(Session& session);
void test_patchify(Session& session);
void test_norm(Session& session);
void test_rope(Session& session);
void test_elementwise(Session& session);
void test_reduce(Session& session);
void test_copy(Session& session);
void test_gather(Session& session);
void test_scan(Session& session);
void test_ggml(Session& session);

}  // namespace framepack::test
