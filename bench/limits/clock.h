#pragma once

#include <time.h>

namespace framepack::limits {

// Seconds that the calling thread has run. Not the time of day: what a core can do does not depend on who else waits
// for it.
inline double now() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace framepack::limits
