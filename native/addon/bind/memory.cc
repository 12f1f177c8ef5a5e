// Buffers, and the ways of data in and out of them.
#include <cstring>

#include "../../core/transfer.h"
#include "../arguments.h"
#include "../environment.h"
#include "../exports.h"
#include "../handles.h"

namespace framepack::addon {
namespace {

// The part [offset, offset + bytes) of a buffer of `device`.
std::byte* range_of(const char* op, const Device& device, const Buffer& buffer, size_t offset,
                    size_t bytes) {
  if (&buffer.device() != &device) {
    throw Error(kErrDevice, op, "buffer expected one of this device, got one of another");
  }
  if (offset > buffer.bytes() || bytes > buffer.bytes() - offset) {
    throw Error(kErrArgument, op,
                "range expected at most " + std::to_string(buffer.bytes()) + " bytes, got " +
                    std::to_string(offset) + " + " + std::to_string(bytes));
  }
  return buffer.data() == nullptr ? nullptr : buffer.data() + offset;
}

std::byte* writable_range_of(const char* op, const Device& device, const Buffer& buffer,
                             size_t offset, size_t bytes) {
  if (buffer.is_read_only()) {
    throw Error(kErrArgument, op, "buffer expected writable memory, got a mapped file");
  }
  return range_of(op, device, buffer, offset, bytes);
}

struct HostBytes {
  const void* data;
  size_t bytes;
};

// The bytes behind a typed array; those of a detached buffer are none.
HostBytes bytes_of(Napi::Value value) {
  if (!value.IsTypedArray()) {
    throw Error(kErrArgument, "upload", "data expected a typed array, got another value");
  }
  const Napi::TypedArray array = value.As<Napi::TypedArray>();
  Napi::ArrayBuffer memory = array.ArrayBuffer();
  return {static_cast<std::byte*>(memory.Data()) + array.ByteOffset(), array.ByteLength()};
}

}  // namespace

Napi::Value allocate(const Napi::CallbackInfo& info) {
  const std::shared_ptr<Device>& device = unwrap_device("allocate", info[0]);
  device->check_open("allocate");
  return wrap_buffer(info.Env(), device->allocate(read_size("allocate", "bytes", info[1])));
}

Napi::Value release(const Napi::CallbackInfo& info) {
  release_buffer(info[0]);
  return info.Env().Undefined();
}

Napi::Value map_file(const Napi::CallbackInfo& info) {
  const std::shared_ptr<Device>& device = unwrap_device("mapFile", info[0]);
  device->check_open("mapFile");
  const std::string path = info[1].ToString().Utf8Value();
  const size_t offset = read_size("mapFile", "offset", info[2]);
  const size_t bytes = read_size("mapFile", "bytes", info[3]);
  return wrap_buffer(info.Env(), device->map_file(path, offset, bytes));
}

Napi::Value upload(const Napi::CallbackInfo& info) {
  const std::shared_ptr<Device>& device = unwrap_device("upload", info[0]);
  device->check_open("upload");
  Buffer& buffer = unwrap_buffer("upload", info[1]);
  const size_t offset = read_size("upload", "offset", info[2]);
  const HostBytes source = bytes_of(info[3]);
  std::byte* target = writable_range_of("upload", *device, buffer, offset, source.bytes);
  // On meta there is nothing to copy to.
  if (source.bytes == 0 || target == nullptr) return info.Env().Undefined();
  const auto transfer = std::make_shared<Transfer>(source.bytes);
  std::memcpy(transfer->data(), source.data, source.bytes);
  transfer->finish(nullptr);
  device->upload(target, transfer);
  return info.Env().Undefined();
}

namespace {

Napi::ArrayBuffer target_of(const char* op, Napi::Value value) {
  if (!value.IsArrayBuffer()) {
    throw Error(kErrArgument, op, "target expected an ArrayBuffer, got another value");
  }
  return value.As<Napi::ArrayBuffer>();
}

}  // namespace

Napi::Value download(const Napi::CallbackInfo& info) {
  const std::shared_ptr<Device>& device = unwrap_device("read", info[0]);
  device->check_open("read");
  const Buffer& buffer = unwrap_buffer("read", info[1]);
  const size_t offset = read_size("read", "offset", info[2]);
  Napi::ArrayBuffer target = target_of("read", info[3]);
  const size_t bytes = target.ByteLength();
  const std::byte* source = range_of("read", *device, buffer, offset, bytes);
  const auto start = [&](Completion done) {
    device->download(source, target.Data(), bytes, std::move(done));
  };
  return Environment::of(info.Env()).completions().run(device, target, start);
}

Napi::Value peek(const Napi::CallbackInfo& info) {
  const std::shared_ptr<Device>& device = unwrap_device("peek", info[0]);
  device->check_open("peek");
  const Buffer& buffer = unwrap_buffer("peek", info[1]);
  const size_t offset = read_size("peek", "offset", info[2]);
  Napi::ArrayBuffer target = target_of("peek", info[3]);
  const size_t bytes = target.ByteLength();
  const std::byte* source = range_of("peek", *device, buffer, offset, bytes);
  return Napi::Boolean::New(info.Env(), device->peek(source, target.Data(), bytes));
}

// Two halves that meet in a Transfer: each device waits for its own turn, and the target for the
// source.
Napi::Value copy_across(const Napi::CallbackInfo& info) {
  const auto read = [](Napi::Object range, bool is_target) {
    const std::shared_ptr<Device>& device = unwrap_device("to", range.Get("device"));
    device->check_open("to");
    const Buffer& buffer = unwrap_buffer("to", range.Get("buffer"));
    const size_t offset = read_size("to", "offset", range.Get("offset"));
    const size_t bytes = read_size("to", "bytes", range.Get("bytes"));
    std::byte* data = is_target ? writable_range_of("to", *device, buffer, offset, bytes)
                                : range_of("to", *device, buffer, offset, bytes);
    return std::tuple(device, data, bytes);
  };
  const auto [source, from, bytes] = read(info[0].As<Napi::Object>(), false);
  const auto [target, to, target_bytes] = read(info[1].As<Napi::Object>(), true);
  if (bytes != target_bytes) {
    throw Error(kErrArgument, "to", "ranges expected equal sizes, got different ones");
  }
  const auto transfer = std::make_shared<Transfer>(bytes);
  auto producer = std::make_shared<TransferProducer>(transfer);
  std::byte* staging = producer->data();
  source->download(from, staging, bytes, [producer = std::move(producer)](ErrorPtr error) {
    producer->finish(std::move(error));
  });
  if (to != nullptr) target->upload(to, transfer);
  return info.Env().Undefined();
}

}  // namespace framepack::addon
