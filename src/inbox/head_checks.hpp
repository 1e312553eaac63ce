// Asks where users' logs end: signals from other nodes may be lost, and whoever is told a head reads what it has missed.
//
//   check     a user's signals may have been missed: the head is asked for at once, a few users at the same time
//   interval  and every user's every now and then, whether there is a reason or not
//   fail      a question without an answer is asked again after a pause; the others wait with it
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/counter.hpp"
#include "base/text_hash.hpp"
#include "base/time.hpp"
#include "inbox/store.hpp"

namespace carillon::inbox {

class HeadCheckPort {
 public:
  virtual ~HeadCheckPort() = default;
  virtual TimePoint now() const = 0;
  virtual void on_head(const std::string& user, const Position& head) = 0;
};

struct HeadCheckOptions {
  std::size_t at_once_max = 64;
  Milliseconds interval{30'000};  // of each user
  Milliseconds retry_pause{1'000};
};

// Owned by the store's thread.
class HeadChecks {
 public:
  // The references outlive it.
  HeadChecks(Store& store, const HeadCheckOptions& options, HeadCheckPort& port)
      : store_(store), options_(options), port_(port) {}
  HeadChecks(const HeadChecks&) = delete;
  HeadChecks& operator=(const HeadChecks&) = delete;

  void add(const std::string& user);
  void remove(std::string_view user);

  // Of a user who was added; others are ignored.
  void check(std::string_view user);
  // The store is back.
  void go_on();
  TimePoint next_deadline() const;
  void on_time(TimePoint now);

  const Counter& asked() const { return asked_; }

  // For tests.
  std::size_t rounds() const { return rounds_.size(); }

 private:
  struct User {
    TimePoint check_at{};
    bool unchecked = false;  // is in the list
  };
  void again_later(const std::string& user, User& state, TimePoint now);
  void note(std::string_view user);
  void ask();
  void on_answer(const std::string& user, const Result<DeviceState, StoreError>& state);

  Store& store_;
  HeadCheckOptions options_;
  HeadCheckPort& port_;
  Counter asked_;
  std::unordered_map<std::string, User, TextHash, std::equal_to<>> users_;
  std::set<std::pair<TimePoint, std::string>> rounds_;  // one of each user
  std::deque<std::string> unchecked_;
  std::size_t asking_ = 0;
  TimePoint retry_at_ = never;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for answers that come later
};

}  // namespace carillon::inbox
