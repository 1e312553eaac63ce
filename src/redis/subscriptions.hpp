// The channels of one kind that this node wants, and what the connection has been told and has confirmed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/text_hash.hpp"
#include "base/time.hpp"
#include "redis/pace.hpp"

namespace carillon::redis {

// Redis confirms each channel of each command, in order. So a channel is in its final state when all its commands have
// been confirmed, whatever happened in between (left and joined again, for instance). Owned by the backplane's shard.
class Subscriptions {
 public:
  // One command's worth of channels; valid until the next call.
  struct Batch {
    std::vector<std::string_view> subscribe;
    std::vector<std::string_view> unsubscribe;
  };

  // What comes back after a reconnect goes at this pace, which may be shared and must outlive the object.
  Subscriptions(std::size_t batch_max, Pace& pace) : batch_max_(batch_max), pace_(pace) {}

  void want(std::string_view channel);
  void release(std::string_view channel);
  // As want(), for what was subscribed elsewhere: it goes at the pace of what comes back after a reconnect.
  void adopt(std::string_view channel);
  bool wants(std::string_view channel) const;
  std::vector<std::string> wanted_channels() const;

  // A connection is up: all wanted channels are to be subscribed. / It is down: nothing is subscribed.
  void start();
  void stop();

  // Changes that may be sent now: everything that has changed, unless that is more than the window has room for; then
  // the next batch when the previous one is confirmed. What is subscribed again fills up the window, at its pace.
  bool has_batch(TimePoint now) const;
  const Batch& take_batch(TimePoint now);
  // When to ask again although nothing has happened.
  TimePoint next_deadline() const;

  // Redis has confirmed. False: it had not been asked.
  bool confirm(std::string_view channel, bool subscribed);
  // Redis has ended a subscription by itself; if it is still wanted it will be asked for again. False: there was none,
  // as far as can be said.
  bool drop(std::string_view channel);

  // Whether a command about it is on the way.
  bool is_changing(std::string_view channel) const;
  // Another node has the channel: it is not wanted here any more, whatever is on the way.
  void forget(std::string_view channel);

  // Channels whose want() can be answered now, in order of their confirmation.
  bool has_answers() const { return !answers_.empty(); }
  std::vector<std::string> take_answers();

  // What was wanted at start() has been confirmed. (Not what came later: under a steady stream of joins there is
  // always something on the way.)
  bool restored() const { return started_ && restoring_ == 0; }
  std::size_t wanted() const { return wanted_; }

 private:
  struct State {
    std::uint32_t unconfirmed = 0;  // commands on the way
    bool wanted = false;
    bool sent = false;       // what the last command said
    bool changed = false;    // is in changed_
    bool asked = false;      // a want() has not been answered
    bool restoring = false;  // counts in restoring_
    bool returning = false;  // is in returning_
  };
  using Channels = std::unordered_map<std::string, State, TextHash, std::equal_to<>>;
  using Channel = Channels::value_type;

  std::size_t room() const;
  std::size_t returning_room(TimePoint now) const;
  void send(Channel& channel);
  void mark_changed(Channel& channel);
  void settle(Channel& channel);

  std::size_t batch_max_;
  Pace& pace_;
  Channels channels_;
  std::deque<Channel*> changed_;    // to be looked at by take_batch(), in order
  std::deque<Channel*> returning_;  // of start(), when their pace allows
  std::vector<std::string> answers_;
  Batch batch_;
  std::size_t unconfirmed_ = 0;  // over all channels
  std::size_t restoring_ = 0;    // channels
  std::size_t wanted_ = 0;       // channels
  bool started_ = false;
};

}  // namespace carillon::redis
