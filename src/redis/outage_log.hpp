// What the operator hears of a Redis that is away: each thing once per outage.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "redis/options.hpp"

namespace carillon::redis {

// Owned by the backplane's shard.
class OutageLog {
 public:
  explicit OutageLog(const ClientOptions& options) : options_(options) {}

  // Nothing waits for this one: a replica.
  void set_minor(bool minor) { minor_ = minor; }

  void tell_outage(std::string_view reason);
  void tell_drops();
  void tell_refusal(std::string_view error);  // once and for all
  void tell_lost_entries(std::string_view stream);
  void tell_abandoned(std::size_t queued, std::size_t on_the_way);
  // The link is ready; said only if an outage had been told.
  void tell_return(std::size_t subscriptions, std::size_t queued);

 private:
  const ClientOptions& options_;
  std::vector<std::string> reasons_;  // of this outage
  bool minor_ = false;
  bool drops_told_ = false;
  bool refusal_told_ = false;
};

}  // namespace carillon::redis
