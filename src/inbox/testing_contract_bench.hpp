// The fixture of the tests in testing_contract.hpp: a store, calls that wait for their answers, a clock.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "inbox/store.hpp"

namespace carillon::inbox {

// A store and the way to make it answer.
class StoreBench {
 public:
  virtual ~StoreBench() = default;
  virtual Store& store() = 0;
  virtual void settle() = 0;  // until every call made before has been answered
};

struct StoreKind {
  std::string name;
  std::function<std::unique_ptr<StoreBench>(const StoreLimits&)> make;
  bool sweeps = true;  // false: what has expired goes by itself
};

inline constexpr UnixMs contract_start = 1'700'000'000'000;
inline constexpr UnixMs contract_ttl = 60'000;

class StoreContract : public testing::TestWithParam<StoreKind> {
 protected:
  StoreContract() { use({}); }
  void use(const StoreLimits& limits) { bench = GetParam().make(limits); }

  template <class T>
  Result<T, StoreError> wait(const std::function<void(Store&, Store::Done<T>)>& call) {
    std::optional<Result<T, StoreError>> result;
    call(bench->store(), [&](Result<T, StoreError> value) { result = std::move(value); });
    bench->settle();
    EXPECT_TRUE(result.has_value()) << "not answered";
    return result ? std::move(*result) : Failure(StoreError::unavailable);
  }

  Acceptance notification(std::vector<std::string> users, std::string data = "1") {
    Notification made;
    made.id = "id-" + std::to_string(++ids);
    made.event = "notification";
    made.data = std::move(data);
    made.sent_at = now;
    made.expires_at = now + contract_ttl;
    return {std::make_shared<Notification>(made), std::move(users), "", ""};
  }
  Acceptance collapsing(const std::string& user, const std::string& key) {
    Acceptance acceptance = notification({user});
    Notification made = *acceptance.notification;
    made.collapse_key = key;
    acceptance.notification = std::make_shared<Notification>(made);
    return acceptance;
  }
  Acceptance keyed(Acceptance acceptance, std::string key, std::string fingerprint) {
    acceptance.idempotency_key = std::move(key);
    acceptance.fingerprint = std::move(fingerprint);
    return acceptance;
  }

  Result<Accepted, StoreError> accept(const Acceptance& acceptance) {
    return wait<Accepted>([&](Store& store, Store::Done<Accepted> done) { store.accept(acceptance, std::move(done)); });
  }
  void fill(const std::string& user, int count) {
    for (int i = 0; i < count; ++i) EXPECT_TRUE(accept(notification({user})));
  }
  DeviceState open(const std::string& user, const std::string& device) {
    return *wait<DeviceState>([&](Store& store, auto done) { store.open(user, device, std::move(done)); });
  }
  Page read(ReadRequest request) {
    request.now = now;
    return *wait<Page>([&](Store& store, auto done) { store.read(request, std::move(done)); });
  }
  std::vector<std::uint64_t> numbers(const std::string& user, std::uint64_t after = 0) {
    std::vector<std::uint64_t> found;
    for (const Entry& entry : read({.user = user, .after = after}).entries) found.push_back(entry.number);
    return found;
  }
  void prove(const std::string& user, const std::string& device, Range range, bool acknowledged = false,
             std::optional<std::uint64_t> begins = std::nullopt) {
    const Proof proof{user,       device, open(user, device).epoch,    range, acknowledged, "node-1",
                      "socket-1", now,    begins.value_or(range.after)};
    EXPECT_TRUE(wait<void>([&](Store& store, auto done) { store.prove(proof, std::move(done)); }));
  }
  UserSummary mark(const std::string& user, std::vector<std::uint64_t> these, std::uint64_t upto) {
    const ReadMarks marks{user, open(user, "").epoch, std::move(these), upto, now};
    return *wait<UserSummary>([&](Store& store, auto done) { store.mark_read(marks, std::move(done)); });
  }
  UserSummary summarize(const std::string& user) {
    return *wait<UserSummary>([&](Store& store, auto done) { store.summarize(user, now, std::move(done)); });
  }
  std::optional<Trace> inspect(const std::string& id, std::size_t skip = 0, std::size_t recipients_max = 1000) {
    const InspectRequest request{id, skip, recipients_max, now};
    return *wait<std::optional<Trace>>([&](Store& store, auto done) { store.inspect(request, std::move(done)); });
  }
  bool sweep(std::size_t notifications_max = 1000) {
    return *wait<bool>([&](Store& store, auto done) { store.sweep(now, notifications_max, std::move(done)); });
  }

  std::unique_ptr<StoreBench> bench;
  UnixMs now = contract_start;
  int ids = 0;
};

using testing::ElementsAre;
using testing::IsEmpty;

}  // namespace carillon::inbox
