// Which accesses of a block are ordered. Order comes from barriers and __syncwarp only: shuffles,
// votes and matrix instructions order nothing.
//
// Every access is stamped with the block's synchronisation count. A warp knows, for every other
// warp, up to which count the two have synchronised (directly or through others); an older access
// is ordered before what the warp does now, a younger one is concurrent.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace cudasim {

class SyncClock {
 public:
  void begin_block(uint32_t warps) {
    warps_ = warps;
    now_ = 1;
    known_.assign(size_t{warps} * kMaxWarps, 0);
  }

  uint32_t now() const { return now_; }

  /** The warps in `mask` have synchronised with each other. */
  void synchronise(uint32_t mask) {
    uint32_t merged[kMaxWarps] = {};
    ++now_;
    for (uint32_t w = 0; w < warps_; ++w) {
      if (!(mask >> w & 1)) continue;
      for (uint32_t v = 0; v < warps_; ++v)
        merged[v] = std::max(merged[v], known_[w * kMaxWarps + v]);
    }
    for (uint32_t w = 0; w < warps_; ++w) {
      if (mask >> w & 1) merged[w] = now_;
    }
    for (uint32_t w = 0; w < warps_; ++w) {
      if (mask >> w & 1)
        std::copy_n(merged, warps_, known_.begin() + static_cast<long>(w) * kMaxWarps);
    }
  }

  /** Whether what warp `other` did at `time` is ordered before what `warp` does now. */
  bool is_ordered(uint32_t warp, uint32_t other, uint32_t time) const {
    return time < known_[warp * kMaxWarps + other];
  }

  bool is_ordered_with_all(uint32_t warp, uint32_t time) const {
    for (uint32_t v = 0; v < warps_; ++v) {
      if (!is_ordered(warp, v, time)) return false;
    }
    return true;
  }

 private:
  static constexpr uint32_t kMaxWarps = 32;

  uint32_t warps_ = 0;
  uint32_t now_ = 1;
  std::vector<uint32_t> known_;  // [warp][other warp]
};

}  // namespace cudasim
