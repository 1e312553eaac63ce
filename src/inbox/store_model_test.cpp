// Random calls to the SQLite store and to the model: they must answer alike.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>

#include "inbox/memory_store.hpp"
#include "inbox/sqlite_store.hpp"
#include "inbox/testing.hpp"

namespace carillon::inbox {
namespace {

std::string text(const DeviceState& state) {
  std::string out = fmt::format("head {} cursor {} known {} dropped {} above", state.head, state.cursor, state.known,
                                state.dropped_to);
  for (const Range& range : state.above) out += fmt::format(" ({},{}]", range.after, range.upto);
  return out;
}

std::string text(const Page& page) {
  std::string out = fmt::format("upto {} head {} dropped {}:", page.upto, page.head, page.dropped_to);
  for (const Entry& entry : page.entries)
    out += fmt::format(" {}={}{}", entry.number, entry.notification->id, entry.read ? "r" : "");
  return out;
}

std::string text(const std::optional<Trace>& trace) {
  if (!trace) return "unknown";
  std::string out;
  for (const RecipientTrace& recipient : trace->recipients) {
    out += fmt::format("{}-{} ending {} at {} read {};", recipient.user, recipient.position.number,
                       static_cast<int>(recipient.ending), recipient.ended_at, recipient.read_at);
    std::vector<std::string> receipts;
    for (const Receipt& receipt : recipient.receipts)
      receipts.push_back(fmt::format("{}@{}", receipt.device, receipt.at));
    std::ranges::sort(receipts);
    for (const std::string& receipt : receipts) out += " " + receipt;
  }
  return out;
}

std::string text(const Accepted& accepted) {
  std::string out = accepted.id + (accepted.replayed ? " again" : "");
  for (const Placement& placement : accepted.placements)
    out += fmt::format(" {}-{}", placement.user, placement.position.number);
  return out;
}

std::string text(const UserSummary& summary) { return fmt::format("head {} unread {}", summary.head, summary.unread); }

// One random history against both.
class Twins {
 public:
  explicit Twins(unsigned seed)
      : random_(seed),
        model_("epoch", limits),
        sqlite_(SqliteStore::open(directory_.file("twin.db"), limits, *chance_).value()) {
    shrink_folds();
    sqlite_->summarize("", 0, [&](const auto& summary) { epoch_ = summary->epoch; });
    EXPECT_TRUE(sqlite_->commit());
  }

  ~Twins() { settle(); }

  void step() {
    now_ += static_cast<UnixMs>(below(40));
    if (below(3) == 0) settle();
    if (below(25) == 0) reopen();
    switch (below(8)) {
      case 0:
      case 1:
      case 2:
        return accept();
      case 3:
      case 4:
        return prove();
      case 5:
        return mark();
      case 6:
        return sweep();
      default:
        return look();
    }
  }

 private:
  static constexpr StoreLimits limits{.notifications_per_user_max = 6,
                                      .bytes_per_user_max = 400,
                                      .devices_per_user_max = 2,
                                      .idempotency_keep = Milliseconds(300),
                                      .trace_keep = Milliseconds(200)};

  // Small enough that users, notes and parts are cut everywhere.
  void shrink_folds() { sqlite_->set_fold_sizes_for_tests({.start = 8, .part = 3}); }
  // What is not folded is read again.
  void reopen() {
    settle();
    sqlite_.reset();
    sqlite_ = SqliteStore::open(directory_.file("twin.db"), limits, *chance_).value();
    shrink_folds();
  }

  // What both are asked; the answers come, and are compared, when it is settled.
  template <class T, class Call>
  void both(const char* name, const Call& call) {
    Asked& asked = asked_.emplace_back(name);
    const auto note = [](std::string& place) {
      return [&place](const Result<T, StoreError>& result) {
        if (!result) {
          place = to_string(result.error());
        } else if constexpr (std::is_void_v<T>) {
          place = "done";
        } else if constexpr (std::is_same_v<T, bool>) {
          place = *result ? "more" : "complete";
        } else {
          place = text(*result);
        }
      };
    };
    call(model_, "epoch", note(asked.expected));
    call(*sqlite_, epoch_, note(asked.got));
  }
  // One commit for all writes since the last time.
  void settle() {
    model_.run();
    EXPECT_TRUE(sqlite_->commit());
    for (const Asked& asked : asked_) EXPECT_EQ(asked.got, asked.expected) << asked.name;
    asked_.clear();
  }

  void accept() {
    Acceptance acceptance;
    for (const char* user : {"a", "b", "c"})
      if (below(2) == 0) acceptance.users.emplace_back(user);
    Notification made{fmt::format("n{}", ++ids_),
                      "e",
                      std::string(below(120), '1'),
                      "",
                      now_,
                      now_ + 1 + static_cast<UnixMs>(below(600))};
    if (below(3) == 0) made.collapse_key = below(2) == 0 ? "x" : "y";
    if (below(4) == 0) acceptance.idempotency_key = fmt::format("k{}", below(5));
    acceptance.fingerprint = fmt::format("{}", below(2));
    acceptance.notification = std::make_shared<Notification>(made);
    both<Accepted>("accept", [&](Store& store, const std::string&, auto done) { store.accept(acceptance, done); });
  }
  void prove() {
    const std::uint64_t after = below(30);
    Proof proof{user(), device(), "", {after, after + below(4)}, false, "n", "s", ++now_, below(after + 1)};
    both<void>("prove", [&](Store& store, const std::string& epoch, auto done) {
      proof.epoch = epoch;
      store.prove(proof, done);
    });
  }
  void mark() {
    ReadMarks marks{user(), "", {below(30), below(30)}, below(10), now_};
    both<UserSummary>("mark_read", [&](Store& store, const std::string& epoch, auto done) {
      marks.epoch = epoch;
      store.mark_read(marks, done);
    });
  }
  // Stores may sweep in another order, but not leave anything.
  void sweep() {
    both<bool>("sweep", [&](Store& store, const std::string&, auto done) { store.sweep(now_, 100'000, done); });
  }
  void look() {
    settle();
    const std::string who = user();
    const std::string what = device();
    const ReadRequest request{who, below(30), 1 + below(5), 50 + below(400), now_};
    const InspectRequest asked{fmt::format("n{}", 1 + below(static_cast<std::size_t>(ids_) + 1)), 0, 10, now_};
    both<DeviceState>("open", [&](Store& store, const std::string&, auto done) { store.open(who, what, done); });
    both<Page>("read", [&](Store& store, const std::string&, auto done) { store.read(request, done); });
    both<UserSummary>("summarize",
                      [&](Store& store, const std::string&, auto done) { store.summarize(who, now_, done); });
    both<std::optional<Trace>>("inspect",
                               [&](Store& store, const std::string&, auto done) { store.inspect(asked, done); });
    settle();
  }

  std::size_t below(std::size_t bound) { return random_() % bound; }
  std::string user() { return std::string(1, static_cast<char>('a' + below(3))); }
  std::string device() { return std::string(1, static_cast<char>('p' + below(3))); }

  struct Asked {
    explicit Asked(const char* called) : name(called) {}
    const char* name;
    std::string expected = "no answer";
    std::string got = "no answer";
  };

  std::mt19937 random_;
  std::deque<Asked> asked_;
  TemporaryDirectory directory_;
  std::unique_ptr<Random> chance_ = make_system_random();
  MemoryStore model_;
  std::unique_ptr<SqliteStore> sqlite_;
  std::string epoch_;
  UnixMs now_ = 1'700'000'000'000;
  int ids_ = 0;
};

TEST(StoreModel, SqliteAnswersAsTheModelDoes) {
  for (unsigned seed = 1; seed <= 6; ++seed) {
    Twins twins(seed);
    for (int i = 0; i < 200 && !testing::Test::HasFailure(); ++i) {
      SCOPED_TRACE(fmt::format("seed {}, step {}", seed, i));
      twins.step();
    }
  }
}

}  // namespace
}  // namespace carillon::inbox
