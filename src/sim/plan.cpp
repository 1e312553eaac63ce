#include "sim/plan.hpp"

#include <fmt/format.h>

#include "sim/prng.hpp"

namespace carillon::sim {
namespace {

// A kind of fault is there in some of the runs only: its absence lets others come further.
Milliseconds sometimes(Prng& prng, unsigned pm, Milliseconds low, Milliseconds high) {
  const Milliseconds every = prng.between(low, high);
  return prng.chance(pm) ? every : Milliseconds(0);
}

unsigned sometimes(Prng& prng, unsigned pm, unsigned high) {
  const auto value = static_cast<unsigned>(prng.between(std::uint64_t{1}, std::uint64_t{high}));
  return prng.chance(pm) ? value : 0;
}

}  // namespace

Plan::Plan(std::uint64_t seed_of_run) : seed(seed_of_run) {
  Prng prng(seed ^ 0x706c616e);
  const auto count = [&](std::uint64_t low, std::uint64_t high) {
    return static_cast<std::size_t>(prng.between(low, high));
  };
  shared = prng.chance(650);
  durable = !shared || prng.chance(800);
  nodes = shared ? count(1, 4) : 1;
  shards = count(1, 3);
  users = count(1, 6);
  devices = count(1, 3);
  acknowledging_pm = prng.chance(300) ? 0 : sometimes(prng, 800, 1000);
  notifications = count(20, 150);
  short_ttl_pm = sometimes(prng, 500, 400);
  collapse_pm = sometimes(prng, 400, 400);
  key_pm = prng.chance(200) ? 0 : 700;
  faults_for = prng.between(Milliseconds(20'000), Milliseconds(120'000));

  limits.notifications_per_user_max = prng.chance(500) ? 1'000 : count(5, 40);
  limits.bytes_per_user_max = prng.chance(800) ? 4 * 1024 * 1024 : count(2'000, 10'000);
  delivery.window = prng.chance(300) ? 64 : count(1, 12);
  delivery.window_bytes_max = prng.chance(700) ? 1024 * 1024 : count(100, 3'000);
  delivery.ack_timeout = prng.between(Milliseconds(1'000), Milliseconds(10'000));
  if (prng.chance(700)) {
    ping_interval = prng.between(Milliseconds(2'000), Milliseconds(10'000));
    ping_timeout = prng.between(Milliseconds(1'000), Milliseconds(8'000));
  }
  delay_max = prng.between(Milliseconds(1), Milliseconds(prng.chance(200) ? 800 : 50));
  clock_skew_max = sometimes(prng, 300, Milliseconds(1), Milliseconds(20'000));

  node_crash_every = sometimes(prng, 500, Milliseconds(3'000), Milliseconds(60'000));
  node_stop_every = sometimes(prng, 300, Milliseconds(5'000), Milliseconds(60'000));
  shard_stall_every = sometimes(prng, 300, Milliseconds(2'000), Milliseconds(40'000));
  clock_jump_every = clock_skew_max.count() > 0 ? Milliseconds(10'000) : Milliseconds(0);
  store_crash_every = shared ? sometimes(prng, 500, Milliseconds(5'000), Milliseconds(60'000)) : Milliseconds(0);
  disk_trouble_every = sometimes(prng, 300, Milliseconds(5'000), Milliseconds(40'000));
  store_link_every = shared ? sometimes(prng, 500, Milliseconds(2'000), Milliseconds(40'000)) : Milliseconds(0);
  client_fault_every = sometimes(prng, 800, Milliseconds(300), Milliseconds(15'000));

  refused_pm = sometimes(prng, 300, 200);
  answer_lost_pm = shared ? sometimes(prng, 400, 100) : 0;
  crash_in_call_pm = sometimes(prng, 300, 20);
  signal_lost_pm = shared ? sometimes(prng, 400, 500) : 0;
  signal_twice_pm = sometimes(prng, 400, 300);
  ack_lost_pm = sometimes(prng, 500, 500);
}

std::string Plan::to_string() const {
  return fmt::format(
      "{} store, {}; {} nodes x {} shards, {} users x {} devices, {} notifications in {} ms, window {} ({} B), "
      "log {} ({} B), delay {} ms, skew {} ms; every ms: crash {}, stop {}, stall {}, store {}, disk {}, link {}, "
      "client "
      "{}; of 1000: refused {}, answers lost {}, crash in call {}, signals lost {}, twice {}, acks lost {}",
      shared ? "shared" : "embedded", durable ? "durable" : "loses the last second", nodes, shards, users, devices,
      notifications, faults_for.count(), delivery.window, delivery.window_bytes_max, limits.notifications_per_user_max,
      limits.bytes_per_user_max, delay_max.count(), clock_skew_max.count(), node_crash_every.count(),
      node_stop_every.count(), shard_stall_every.count(), store_crash_every.count(), disk_trouble_every.count(),
      store_link_every.count(), client_fault_every.count(), refused_pm, answer_lost_pm, crash_in_call_pm,
      signal_lost_pm, signal_twice_pm, ack_lost_pm);
}

}  // namespace carillon::sim
