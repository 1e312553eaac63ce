#include "redis/outage_log.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "redis/reply_error.hpp"

namespace carillon::redis {
namespace {

constexpr std::size_t reasons_max = 8;  // different ones, per outage

}  // namespace

void OutageLog::tell_outage(std::string_view reason) {
  if (reasons_.size() >= reasons_max || std::find(reasons_.begin(), reasons_.end(), reason) != reasons_.end()) return;
  reasons_.emplace_back(reason);
  log_warn("Redis at " + endpoint(options_.url) + ": " + std::string(reason) +
           (minor_ ? ". It is a replica; trying again until it works."
                   : ". Local traffic goes on, messages for other nodes wait; trying again until it works."));
}

void OutageLog::tell_drops() {
  if (std::exchange(drops_told_, true)) return;
  log_warn("Messages for other nodes are being dropped, because Redis at " + endpoint(options_.url) +
           " does not take them and the queue is bounded (" + std::to_string(options_.queue_bytes_max) + " bytes, " +
           std::to_string(options_.queue_age_max_ms.count()) + " ms). They are counted.");
}

void OutageLog::tell_refusal(std::string_view error) {
  if (std::exchange(refusal_told_, true)) return;
  const std::string_view hint = advice(classify_error(error));
  log_warn("Redis at " + endpoint(options_.url) + " refused a message: \"" + std::string(error.substr(0, 200)) + "\"" +
           (hint.empty() ? "" : " (" + std::string(hint) + ")") + ". Further ones are only counted.");
}

void OutageLog::tell_lost_entries(std::string_view stream) {
  log_warn("Redis at " + endpoint(options_.url) + ": the stream \"" + std::string(stream.substr(0, 200)) +
           "\" has lost entries before this node read them (it was trimmed or made anew); "
           "messages of other nodes are missing here.");
}

void OutageLog::tell_abandoned(std::size_t queued, std::size_t on_the_way) {
  log_warn("Redis at " + endpoint(options_.url) + " has not taken all messages in time: " + std::to_string(queued) +
           " were never sent, and " + std::to_string(on_the_way) + " were not confirmed.");
}

void OutageLog::tell_return(std::size_t subscriptions, std::size_t queued) {
  if (!reasons_.empty())
    log_info("Redis at " + endpoint(options_.url) + " is back: " + std::to_string(subscriptions) + " subscriptions, " +
             std::to_string(queued) + " messages waited for it.");
  reasons_.clear();
  drops_told_ = false;
}

}  // namespace carillon::redis
