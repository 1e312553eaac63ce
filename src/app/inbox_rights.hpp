// Whether a user of Redis may do what notifications need.
#pragma once

#include "app/diagnosis.hpp"
#include "runtime/redis_probe.hpp"

namespace carillon::app {

// Does it once, on keys of a user that nobody is, and removes them. What is refused goes to `facts`. Asks for a subscription last, after
// which the connection may be lost.
void try_inbox_rights(runtime::RedisProbe& probe, const Config& config, RedisFacts& facts);

}  // namespace carillon::app
