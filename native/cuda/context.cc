#include "context.h"

namespace framepack::cuda {
namespace {

constexpr const char* kOp = "Device.open";

// CUdevice_attribute
constexpr int kMultiprocessorCount = 16;
constexpr int kCapabilityMajor = 75;
constexpr int kCapabilityMinor = 76;
constexpr int kSharedPerMultiprocessor = 81;
constexpr int kSharedPerBlockOptin = 97;

constexpr int kMinSm = 80;  // asynchronous copies and bf16 matrix instructions

void check_open(const Driver& driver, Result result, const char* expected) {
  if (result != 0) throw driver.open_error(result, expected);
}

Ordinal find_device(const Driver& driver, int ordinal) {
  check_open(driver, driver.init(0), "driver expected to start");
  int count = 0;
  check_open(driver, driver.device_get_count(&count), "driver expected to list GPUs");
  if (count == 0) throw Error(kErrCudaDriver, kOp, "driver expected a GPU, got none");
  if (ordinal >= count) {
    throw Error(
        kErrArgument, kOp,
        "ordinal expected less than " + std::to_string(count) + ", got " + std::to_string(ordinal));
  }
  Ordinal device = 0;
  check_open(driver, driver.device_get(&device, ordinal), "driver expected to find the GPU");
  return device;
}

}  // namespace

Context::Context(const std::string& library, int ordinal)
    : driver_(Driver::load(library)), device_(find_device(driver_, ordinal)) {
  char name[128] = {};
  check_open(driver_, driver_.device_get_name(name, sizeof name, device_), "GPU expected a name");
  name_ = name;
  traits_.sm = attribute(kCapabilityMajor) * 10 + attribute(kCapabilityMinor);
  traits_.shared_block_optin = static_cast<unsigned>(attribute(kSharedPerBlockOptin));
  traits_.shared_sm = static_cast<unsigned>(attribute(kSharedPerMultiprocessor));
  traits_.sm_count = attribute(kMultiprocessorCount);
  if (traits_.sm < kMinSm) {
    throw Error(kErrCudaDriver, kOp,
                "GPU expected sm_" + std::to_string(kMinSm) + " or newer, got " + name_ +
                    " with sm_" + std::to_string(traits_.sm));
  }
  if (const Result result = driver_.context_retain(&handle_, device_)) {
    throw driver_.context_error(result, "GPU expected a usable context");
  }
}

Context::~Context() { driver_.context_release(device_); }

std::string Context::driver_version() const {
  int version = 0;
  driver_.get_version(&version);
  return "CUDA " + std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

int Context::attribute(int which) const {
  int value = 0;
  check_open(driver_, driver_.device_get_attribute(&value, which, device_),
             "GPU expected to tell its attributes");
  return value;
}

Context::Scope::Scope(const Context& context)
    : driver_(context.driver_), is_pushed_(driver_.context_push(context.handle_) == 0) {}

Context::Scope::~Scope() {
  if (!is_pushed_) return;
  ContextHandle popped = nullptr;
  driver_.context_pop(&popped);
}

}  // namespace framepack::cuda
