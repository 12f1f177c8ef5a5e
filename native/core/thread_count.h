// How many threads this process should use for arithmetic.
#pragma once

namespace framepack {

// The physical cores that the CPU affinity mask allows (hardware threads of one core share its
// multipliers and count once), capped by the CPU quota of the control group. At least 1.
int default_thread_count();

}  // namespace framepack
