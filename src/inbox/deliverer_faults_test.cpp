// Everything at once: sockets that come and go, proofs that are lost, signals that are lost or repeated, a store that fails
// and whose answers are lost. In the end the device has received everything, and on each connection in order.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "inbox/testing_delivery.hpp"

namespace carillon::inbox {
namespace {

using Fault = MemoryStore::Fault;

// One device of one user, and what happens to it, from a seed.
class Turmoil {
 public:
  explicit Turmoil(unsigned seed) : random_(seed), acknowledges_(seed % 2 == 0) {}

  void step() {
    switch (below(8)) {
      case 0:
        leave();
        phone_ = bench.connect("alice", "phone", acknowledges_);
        break;
      case 1:
      case 2:
        signals.push_back(bench.accept("alice"));
        if (below(4) > 0) bench.deliverer.on_signal(signals.back());
        break;
      case 3:
        if (!signals.empty()) bench.deliverer.on_signal(one_of(signals));
        break;
      case 4:
        if (phone_ && phone_->ping_out) phone_->pong();
        break;
      case 5:
        if (phone_ && acknowledges_ && !phone_->received.empty()) phone_->acknowledge(one_of(phone_->received));
        break;
      case 6:
        bench.store.run_one();
        break;
      default:
        bench.store.set_faults([this](std::string_view) { return any_fault(); });
        bench.advance(Milliseconds(below(3000)));
        break;
    }
  }

  // A last connection, on which the client answers to everything.
  void end_faults() {
    bench.store.set_faults({});
    leave();
    phone_ = bench.connect("alice", "phone", acknowledges_);
    for (int i = 0; i < 20; ++i) {
      bench.settle(*phone_);
      if (!acknowledges_) continue;
      for (const std::uint64_t number : std::vector(phone_->received)) phone_->acknowledge(number);
    }
    leave();
  }

  DeliveryBench bench;
  std::vector<Signal> signals;  // of all that was accepted
  std::set<std::string> seen;   // ids

 private:
  unsigned below(std::size_t bound) { return static_cast<unsigned>(random_() % bound); }
  template <class T>
  const T& one_of(const std::vector<T>& list) {
    return list[below(list.size())];
  }
  MemoryStore::Faults any_fault() {
    const unsigned dice = below(8);
    return {dice == 0 ? Fault::refused : dice == 1 ? Fault::answer_lost : Fault::none, StoreError::unavailable};
  }
  void leave() {
    if (!phone_) return;
    // What is not acknowledged in time is sent again, behind others.
    EXPECT_TRUE(std::ranges::is_sorted(phone_->received) || acknowledges_);
    seen.insert(phone_->ids.begin(), phone_->ids.end());
    bench.disconnect(*phone_);
    phone_.reset();
  }

  std::mt19937 random_;
  bool acknowledges_;
  std::unique_ptr<FakeSocket> phone_;
};

TEST(Deliverer, NothingIsLostWhateverHappens) {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    Turmoil turmoil(seed);
    for (int i = 0; i < 150; ++i) turmoil.step();
    turmoil.end_faults();
    EXPECT_EQ(turmoil.seen.size(), turmoil.signals.size());
    EXPECT_EQ(turmoil.bench.stored_cursor("alice", "phone"), turmoil.signals.size());
  }
}

}  // namespace
}  // namespace carillon::inbox
