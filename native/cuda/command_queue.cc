#include "command_queue.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace framepack::cuda {
namespace {

constexpr unsigned kNonBlocking =
    1;  // CU_STREAM_NON_BLOCKING: not ordered with other people's work

// At most their product is with the driver: enough to hide the way to the waiter and back behind the
// shortest kernels, and a fraction of a second of the longest.
constexpr int kCommandsPerMark = 32;
constexpr size_t kMaxMarks = 8;

// A file that is read piece by piece.
class SourceFile {
 public:
  explicit SourceFile(const std::string& path)
      : path_(path), descriptor_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ < 0) fail(std::strerror(errno));
  }
  ~SourceFile() { close(descriptor_); }
  SourceFile(const SourceFile&) = delete;
  SourceFile& operator=(const SourceFile&) = delete;

  void read(std::byte* target, size_t offset, size_t bytes) const {
    while (bytes > 0) {
      const ssize_t count = pread(descriptor_, target, bytes, static_cast<off_t>(offset));
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) fail(count < 0 ? std::strerror(errno) : "one that became shorter");
      target += count;
      offset += static_cast<size_t>(count);
      bytes -= static_cast<size_t>(count);
    }
  }

 private:
  [[noreturn]] void fail(const char* got) const {
    throw Error(kErrArgument, "mapFile", path_ + " expected a readable file, got " + got);
  }

  std::string path_;
  int descriptor_;
};

}  // namespace

CommandQueue::CommandQueue(const Context& context, bool is_synchronous)
    : context_(context),
      driver_(context.driver()),
      is_synchronous_(is_synchronous),
      ring_(context),
      waiter_(context),
      issuer_(is_synchronous) {
  const Context::Scope scope(context_);
  driver_.check(driver_.stream_create(&stream_, kNonBlocking), last_op_);
}

CommandQueue::~CommandQueue() {
  stop();
  if (stream_ == nullptr) return;
  const Context::Scope scope(context_);
  driver_.stream_destroy(stream_);
}

void CommandQueue::stop() {
  issuer_.stop();
  waiter_.stop();
  if (stream_ == nullptr) return;
  const Context::Scope scope(context_);
  driver_.stream_synchronize(stream_);  // whatever it says: the work has ended
}

void CommandQueue::enqueue(const char* op, Command command) {
  {
    std::lock_guard lock(mutex_);
    if (lost_) {
      throw Error(kErrDeviceLost, op,
                  std::string("device expected a working GPU, got ") + lost_->what());
    }
  }
  issuer_.enqueue(op, [this, op, command = std::move(command)] { issue(op, command); });
}

void CommandQueue::issue(const char* op, const Command& command) {
  const Context::Scope scope(context_);
  last_op_ = op;
  try {
    command(stream_);
    if (is_synchronous_) driver_.check(driver_.stream_synchronize(stream_), op);
  } catch (const Error& error) {
    if (error.code() != kErrDeviceLost) throw;
    std::lock_guard lock(mutex_);
    if (!lost_) lost_ = std::make_shared<const Error>(error);
    throw;
  }
  if (++unmarked_commands_ < kCommandsPerMark) return;
  unmarked_commands_ = 0;
  waiter_.after(stream_, [](Result) {});
  waiter_.wait_for_room(kMaxMarks);
}

void CommandQueue::drop(std::shared_ptr<void> owner) {
  issuer_.enqueue("release", [owner = std::move(owner)] {});
}

void CommandQueue::upload(void* target, std::shared_ptr<Transfer> source) {
  enqueue("upload", [this, target, source = std::move(source)](StreamHandle) {
    if (const ErrorPtr error = source->wait()) throw Error(*error);
    copy_in("upload", target, source->bytes(), [&](std::byte* piece, size_t offset, size_t bytes) {
      std::memcpy(piece, source->data() + offset, bytes);
    });
  });
}

void CommandQueue::upload_file(void* target, const std::string& path, size_t offset, size_t bytes) {
  enqueue("mapFile", [this, target, path, offset, bytes](StreamHandle) {
    const SourceFile file(path);
    copy_in("mapFile", target, bytes, [&](std::byte* piece, size_t start, size_t count) {
      file.read(piece, offset + start, count);
    });
  });
}

void CommandQueue::copy_in(const char* op, void* target, size_t bytes, Fill fill) {
  for (size_t offset = 0; offset < bytes; offset += StagingRing::kMaxPieceBytes) {
    const size_t count = std::min(bytes - offset, StagingRing::kMaxPieceBytes);
    std::shared_ptr<std::byte> piece = ring_.acquire(count);
    fill(piece.get(), offset, count);
    const Result result =
        driver_.copy_to_device(address_of(target) + offset, piece.get(), count, stream_);
    waiter_.after(stream_, [piece = std::move(piece)](Result) {});
    driver_.check(result, op);
  }
}

void CommandQueue::download(const void* source, void* target, size_t bytes, Completion done) {
  if (bytes > 0) {
    enqueue("read",
            [this, source, target, bytes](StreamHandle) { copy_out(source, target, bytes); });
  }
  fence(std::move(done));
}

void CommandQueue::copy_out(const void* source, void* target, size_t bytes) {
  for (size_t offset = 0; offset < bytes; offset += StagingRing::kMaxPieceBytes) {
    const size_t count = std::min(bytes - offset, StagingRing::kMaxPieceBytes);
    std::shared_ptr<std::byte> piece = ring_.acquire(count);
    driver_.check(driver_.copy_to_host(piece.get(), address_of(source) + offset, count, stream_),
                  "read");
    std::byte* to = static_cast<std::byte*>(target) + offset;
    waiter_.after(stream_, [piece = std::move(piece), to, count](Result result) {
      if (result == 0) std::memcpy(to, piece.get(), count);
    });
  }
}

void CommandQueue::fence(Completion done) {
  issuer_.complete([this, done = std::move(done)](ErrorPtr error) {
    const Context::Scope scope(context_);
    waiter_.after(stream_, [this, done, error = std::move(error), op = last_op_](Result result) {
      const ErrorPtr fault = failure(result, op);
      done(error ? error : fault);
    });
  });
}

ErrorPtr CommandQueue::failure(Result result, const char* op) {
  if (result == 0) return nullptr;
  auto error = std::make_shared<const Error>(driver_.error(result, op));
  if (error->code() != kErrDeviceLost) return error;
  std::lock_guard lock(mutex_);
  if (!lost_) lost_ = std::move(error);
  return lost_;
}

}  // namespace framepack::cuda
