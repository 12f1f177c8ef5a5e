#include "session.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "../../native/core/dtype.h"

namespace framepack::test {

Operand::Operand(Driver& driver, DType dtype, long long count)
    : driver_(&driver),
      dtype_(dtype),
      count_(count),
      bytes_(static_cast<size_t>(count * size_of(dtype))),
      device_(count == 0 ? nullptr : driver.allocate(bytes_.size())) {}

Operand::~Operand() {
  if (!device_) return;
  try {
    driver_->release(device_);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
}

Operand::Operand(Operand&& other) noexcept { *this = std::move(other); }

Operand& Operand::operator=(Operand&& other) noexcept {
  std::swap(driver_, other.driver_);
  std::swap(dtype_, other.dtype_);
  std::swap(count_, other.count_);
  std::swap(bytes_, other.bytes_);
  std::swap(device_, other.device_);
  return *this;
}

void Operand::upload() { driver_->upload(device_, bytes_.data(), bytes_.size()); }

std::vector<unsigned char> Operand::download() const {
  std::vector<unsigned char> bytes(bytes_.size());
  driver_->download(bytes.data(), device_, bytes.size());
  return bytes;
}

namespace {

std::vector<Case> read_family(std::string file, const char* family) {
  const size_t place = file.find('%');
  if (place != std::string::npos) file.replace(place, 1, family);
  return read_cases(file);
}

}  // namespace

Session::Session(Driver& driver, std::string case_files, const std::string& hash_file)
    : driver_(driver), case_files_(std::move(case_files)) {
  if (hash_file.empty()) return;
  hashes_ = std::fopen(hash_file.c_str(), "w");
  if (!hashes_) throw std::runtime_error("cannot write " + hash_file);
}

Session::~Session() {
  if (hashes_) std::fclose(hashes_);
}

std::vector<Case> Session::cases(const char* family) const {
  std::vector<Case> cases = read_family(case_files_, family);
  std::erase_if(cases, [](const Case& item) { return item.flag("bench") || item.has("error"); });
  return cases;
}

double Session::tolerance(const char* family, const std::string& name) const {
  for (const Case& line : read_family(case_files_, family)) {
    if (line.has("error") && line.text("tolerance") == name) return line.number("error");
  }
  throw std::runtime_error(std::string(family) + " has no tolerance " + name);
}

Operand Session::matrix(DType dtype, long long rows, long long width, long long stride, double low,
                        double high) {
  if (rows == 0 || width == 0) return {};
  Operand operand(driver_, dtype, (rows - 1) * stride + width);
  std::memset(operand.host(), 0xff, static_cast<size_t>(operand.count() * size_of(dtype)));
  std::uniform_real_distribution<float> values(static_cast<float>(low), static_cast<float>(high));
  for (long long row = 0; row < rows; ++row) {
    for (long long column = 0; column < width; ++column) {
      store_f32(operand.host(), dtype, row * stride + column, values(random_));
    }
  }
  operand.upload();
  return operand;
}

Operand Session::integers(const std::vector<long long>& values) {
  Operand operand(driver_, DType::kI32, static_cast<long long>(values.size()));
  for (size_t i = 0; i < values.size(); ++i) {
    static_cast<int*>(operand.host())[i] = static_cast<int>(values[i]);
  }
  if (!values.empty()) operand.upload();
  return operand;
}

void Session::compare(const std::string& name, const Launch& launch, const void* args,
                      Operand& expected, const std::vector<unsigned char>& untouched,
                      double tolerance) {
  const size_t size = static_cast<size_t>(size_of(expected.dtype()));
  std::string fault;
  double error = 0;
  try {
    driver_.upload(expected.device(), untouched.data(), untouched.size());
    driver_.run(launch, args);
    const std::vector<unsigned char> got = expected.download();
    hash(name, launch.kernel, got);
    const auto* want = static_cast<const unsigned char*>(expected.host());
    double difference = 0, norm = 0;
    for (long long i = 0; i < expected.count() && fault.empty(); ++i) {
      const size_t at = static_cast<size_t>(i) * size;
      const bool is_gap = std::memcmp(want + at, untouched.data() + at, size) == 0;
      if (is_gap) {
        if (std::memcmp(got.data() + at, want + at, size) != 0) {
          fault = "wrote element " + std::to_string(i) + " outside of the result";
        }
        continue;
      }
      const double y = load_f32(want, expected.dtype(), i);
      const double d = load_f32(got.data(), expected.dtype(), i) - y;
      if (std::isnan(d)) fault = "element " + std::to_string(i) + " is not a number";
      difference += d * d;
      norm += y * y;
    }
    error = norm > 0 ? std::sqrt(difference / norm) : std::sqrt(difference);
    if (fault.empty() && !(error <= tolerance)) fault = "relative error above the tolerance";
  } catch (const std::exception& exception) {
    fault = exception.what();
  }
  record(name, launch.kernel, error, fault);
}

void Session::record(const std::string& name, const char* kernel, double error,
                     const std::string& fault) {
  kernels_.insert(kernel);
  fault.empty() ? ++passed_ : ++failed_;
  std::printf("%s %-28s %.2e %s%s%s\n", fault.empty() ? "ok  " : "FAIL", kernel, error,
              name.c_str(), fault.empty() ? "" : ": ", fault.c_str());
}

void Session::hash(const std::string& name, const char* kernel,
                   const std::vector<unsigned char>& bytes) {
  if (!hashes_) return;
  unsigned long long hash = 14695981039346656037ull;  // FNV-1a
  for (const unsigned char byte : bytes) hash = (hash ^ byte) * 1099511628211ull;
  std::fprintf(hashes_, "%016llx %s %s\n", hash, kernel, name.c_str());
}

void Session::skip(const std::string& name, const char* reason) {
  ++skipped_;
  std::printf("skip %s: %s\n", name.c_str(), reason);
}

int Session::report() const {
  std::printf("%zu kernels on %s\n%d passed, %d failed, %d skipped\n", kernels_.size(),
              driver_.name().c_str(), passed_, failed_, skipped_);
  return failed_ == 0 ? 0 : 1;
}

std::vector<DeviceTraits> trait_variants(const DeviceTraits& device) {
  constexpr unsigned kSmallPart = 99 * 1024;
  DeviceTraits busy = device;
  busy.sm_count = 1;
  busy.shared_sm = 228 * 1024;  // room for two blocks of 64 queries
  DeviceTraits small = busy;
  small.shared_sm = 100 * 1024;
  small.shared_block_optin = std::min(device.shared_block_optin, kSmallPart);
  DeviceTraits idle = small;
  idle.sm_count = 1 << 20;
  return {busy, small, idle};
}

double tolerance_of(DType out) {
  switch (out) {
    case DType::kBf16: return 1e-3;
    case DType::kF16: return 1e-4;
    default: return 1e-5;
  }
}

}  // namespace framepack::test
