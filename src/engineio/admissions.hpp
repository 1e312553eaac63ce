// Handshakes that wait for the application's word.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include <carillon/handshake.hpp>

#include "base/timer_wheel.hpp"
#include "http/request.hpp"

namespace carillon::engineio {

class Peer;

// Owned by one engine. Nobody waits longer than the time limit: an application that never answers costs only the client.
class Admissions final : private Timer {
 public:
  struct Waiting {
    Peer* peer;
    http::Request request;
    std::shared_ptr<const HandshakeRequest> handshake;
    TimePoint until;
  };
  using OnTimeout = std::function<void(const Waiting& waiting, TimePoint now)>;
  Admissions(TimerWheel& timers, OnTimeout on_timeout);
  ~Admissions() override;

  // Gives the ticket with which to take it. `until` never goes back from one call to the next.
  std::uint64_t hold(Waiting waiting);
  // None: it is not there any more.
  std::optional<Waiting> take(std::uint64_t ticket);
  // The client is gone.
  void forget(const Peer& peer);

  std::vector<std::uint64_t> tickets() const;
  std::size_t size() const { return waiting_.size(); }

 private:
  void on_deadline(TimePoint now) override;
  void arm();

  TimerWheel& timers_;
  OnTimeout on_timeout_;
  std::uint64_t last_ticket_ = 0;
  std::map<std::uint64_t, Waiting> waiting_;  // in the order of their ends
  std::unordered_map<const Peer*, std::uint64_t> by_peer_;
};

}  // namespace carillon::engineio
