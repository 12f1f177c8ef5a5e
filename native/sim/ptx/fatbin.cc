#include "ptx/fatbin.h"

#include <cstdint>
#include <cstring>

#include "ptx/module.h"

namespace cudasim::ptx {
namespace {

constexpr uint32_t kFatbinMagic = 0xba55ed50u;
constexpr uint32_t kWrapperMagic = 0x466243b1u;  // __fatBinC_Wrapper_t of the CUDA runtime
constexpr uint16_t kPtxEntry = 1;

struct FatbinHeader {
  uint32_t magic;
  uint16_t version;
  uint16_t header_bytes;
  uint64_t body_bytes;
};

struct EntryHeader {
  uint16_t kind;
  uint16_t version;
  uint32_t header_bytes;
  uint64_t payload_bytes;
  uint32_t compressed_bytes;
  uint32_t options_offset;
  uint16_t minor, major;
  uint32_t architecture;
};

template <typename T>
T read_at(const uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

std::string payload_text(const uint8_t* payload, uint64_t bytes) {
  std::string text(reinterpret_cast<const char*>(payload), bytes);
  const size_t version = text.find(".version");
  if (version == std::string::npos) return {};
  text.erase(0, version);
  return text.c_str();  // the payload is zero-padded
}

}  // namespace

std::string extract_ptx(const void* image) {
  const uint8_t* at = static_cast<const uint8_t*>(image);
  if (read_at<uint32_t>(at) == kWrapperMagic) at = read_at<const uint8_t*>(at + 8);
  if (read_at<uint32_t>(at) != kFatbinMagic) {
    std::string text(reinterpret_cast<const char*>(at));
    if (text.find(".version") == std::string::npos) {
      throw LoadError("the image is neither a fatbin nor PTX text");
    }
    return text;
  }
  const FatbinHeader header = read_at<FatbinHeader>(at);
  at += header.header_bytes;
  const uint8_t* end = at + header.body_bytes;
  std::string best;
  uint32_t best_architecture = ~0u;
  bool has_compressed = false;
  while (at + sizeof(EntryHeader) <= end) {
    const EntryHeader entry = read_at<EntryHeader>(at);
    if (entry.kind == kPtxEntry && entry.architecture < best_architecture) {
      std::string text = payload_text(at + entry.header_bytes, entry.payload_bytes);
      if (text.empty()) {
        has_compressed = true;
      } else {
        best = std::move(text);
        best_architecture = entry.architecture;
      }
    }
    at += entry.header_bytes + entry.payload_bytes;
  }
  if (best.empty()) {
    throw LoadError(has_compressed
                        ? "the PTX in the fatbin is compressed: add --no-compress to nvcc"
                        : "the fatbin has no PTX: add -gencode arch=compute_80,code=compute_80");
  }
  return best;
}

}  // namespace cudasim::ptx
