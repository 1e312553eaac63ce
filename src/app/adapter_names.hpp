// Adapters and their modes, as they are called in settings and flags; those have been checked.
#pragma once

#include <string_view>

#include <carillon/adapter_options.hpp>

namespace carillon::app {

inline AdapterOptions::Kind adapter_kind(std::string_view name) {
  if (name == "sharded") return AdapterOptions::Kind::sharded;
  if (name == "streams") return AdapterOptions::Kind::streams;
  return AdapterOptions::Kind::pubsub;
}

inline ShardedMode sharded_mode(std::string_view name) {
  if (name == "static") return ShardedMode::static_;
  if (name == "dynamic-private") return ShardedMode::dynamic_private;
  return ShardedMode::dynamic;
}

}  // namespace carillon::app
