// For tests of the delivery core: users' phones, a model store whose answers come when the test says so, virtual time.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "inbox/deliverer.hpp"
#include "inbox/memory_store.hpp"

namespace carillon::inbox {

inline std::vector<std::uint64_t> numbers(std::uint64_t first, std::uint64_t last) {
  std::vector<std::uint64_t> all;
  for (std::uint64_t number = first; number <= last; ++number) all.push_back(number);
  return all;
}

// For set_faults(): calls of this name are refused, or with an empty one all of them.
inline auto refuse(std::string_view name, StoreError error) {
  return [name, error](std::string_view call) {
    const bool refused = name.empty() || name == call;
    return MemoryStore::Faults{refused ? MemoryStore::Fault::refused : MemoryStore::Fault::none, error};
  };
}

// One socket, and the client behind it.
class FakeSocket final : public RecipientPort {
 public:
  void send(const Notification& notification, const Position& position) override {
    received.push_back(position.number);
    ids.push_back(notification.id);
    epoch = position.epoch;
    if (on_send) on_send();
  }
  void ping() override {
    ++pings;
    if (recipient && !ping_out) {
      ping_out = true;
      recipient->on_ping_sent();
    }
  }
  void tell_gap(const Gap& gap) override { gaps.push_back(gap); }
  void tell_read(const ReadEvent& event) override { reads.push_back(event); }

  void pong() {
    ping_out = false;
    recipient->on_pong();
  }
  void acknowledge(std::uint64_t number) { recipient->on_acknowledged({epoch, number}); }

  std::vector<std::uint64_t> received;
  std::vector<std::string> ids;
  std::vector<Gap> gaps;
  std::vector<ReadEvent> reads;
  std::function<void()> on_send;
  std::string epoch;
  int pings = 0;
  bool ping_out = false;
  std::shared_ptr<Recipient> recipient;
};

class DeliveryBench {
 public:
  explicit DeliveryBench(const StoreLimits& limits = {}) : store("first", limits) { advance(Milliseconds(0)); }

  std::unique_ptr<FakeSocket> connect(const std::string& user, const std::string& device = "", bool acks = false) {
    auto socket = std::make_unique<FakeSocket>();
    socket->recipient = deliverer.add({user, device, "socket-" + std::to_string(++sockets), acks}, *socket);
    return socket;
  }
  void disconnect(FakeSocket& socket) { deliverer.remove(*socket.recipient); }
  // Connects, and what that causes has been answered.
  std::unique_ptr<FakeSocket> arrive(const std::string& user, const std::string& device = "", bool acks = false) {
    auto socket = connect(user, device, acks);
    store.run();
    return socket;
  }
  // The device's connection ends, and its next one arrives.
  void come_back(std::unique_ptr<FakeSocket>& socket) {
    disconnect(*socket);
    const RecipientIdentity& who = socket->recipient->identity();
    socket = arrive(who.user, who.device, who.acknowledges);
  }

  // Accepts a notification for the user, without telling anybody.
  Signal accept(const std::string& user, std::int64_t ttl_ms = 1'000'000, std::string data = "1") {
    Notification made{"id-" + std::to_string(++ids), "e", std::move(data), "", unix_now, unix_now + ttl_ms};
    const auto notification = std::make_shared<const Notification>(std::move(made));
    Signal signal{user, {}, notification};
    store.set_faults({});
    store.accept({notification, {user}, "", ""}, [&](const Result<Accepted, StoreError>& accepted) {
      signal.position = accepted->placements.at(0).position;
    });
    store.run();
    return signal;
  }
  void notify(const std::string& user, int count = 1) {
    for (int i = 0; i < count; ++i) deliverer.on_signal(accept(user));
  }
  std::uint64_t stored_cursor(const std::string& user, const std::string& device = "") {
    return stored(user, device).cursor;
  }
  DeviceState stored(const std::string& user, const std::string& device = "") {
    DeviceState state;
    store.set_faults({});
    store.run();  // what is on its way may cause more
    store.open(user, device, [&](const Result<DeviceState, StoreError>& result) { state = *result; });
    store.run();
    return state;
  }

  void advance(Milliseconds time) {
    for (const TimePoint end = now + time;;) {
      now = std::min(end, now + TimerWheel::tick);
      deliverer.set_time(now, unix_now + (now.time_since_epoch() - started.time_since_epoch()).count());
      timers.advance(now);
      store.run();
      if (now >= end) break;
    }
    unix_now += (now - started).count();
    started = now;
  }
  // Until nothing is left to do, with a client that answers every ping.
  void settle(FakeSocket& socket) {
    for (int i = 0; i < 100; ++i) {
      advance(Milliseconds(40));
      if (socket.ping_out) socket.pong();
    }
  }

  DeliveryOptions options;
  UnixMs unix_now = 1'700'000'000'000;
  TimePoint now{Milliseconds(5'000)};
  TimePoint started = now;
  TimerWheel timers{now};
  MemoryStore store;
  Deliverer deliverer{options, store, timers, "node-1"};
  int ids = 0;
  int sockets = 0;
};

}  // namespace carillon::inbox
