#include "sim/canary.hpp"

namespace carillon::sim {

#ifdef CARILLON_SIM_CANARIES
const bool canaries_compiled = true;
#else
const bool canaries_compiled = false;
#endif

}  // namespace carillon::sim
