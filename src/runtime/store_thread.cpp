#include "runtime/store_thread.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <utility>

#include "base/log.hpp"

namespace carillon::runtime {
namespace {

constexpr Milliseconds mend_interval{1'000};
constexpr Milliseconds damage_said_interval{60'000};
constexpr Milliseconds sweep_interval{2'000};
constexpr std::size_t sweep_size = 500;

// SQLite says of a file that it cannot open no more than that.
bool is_read_only(const std::string& folder) { return ::access(folder.c_str(), W_OK) != 0 && errno == EROFS; }

}  // namespace

StoreThread::StoreThread(Settings settings) : StoreHome(settings.waiting_bytes_max), settings_(std::move(settings)) {}

StoreThread::~StoreThread() { stop(); }

// A store that cannot be opened does not keep the node from starting: what needs no store works.
void StoreThread::start() {
  std::error_code error;
  std::filesystem::create_directories(settings_.directory, error);
  if (error)
    throw std::runtime_error(
        fmt::format("data.dir: the folder {} cannot be made: {}", settings_.directory, error.message()));
  open();
  thread_ = std::thread([this] { loop_.run(*this); });
}

void StoreThread::stop() {
  if (!thread_.joinable()) return;
  loop_.post([this] { loop_.stop(); });
  thread_.join();
}

std::unique_ptr<inbox::Store> StoreThread::port_for(socketio::ShardPort& shard) {
  return std::make_unique<StorePort>(*this, shard);
}

void StoreThread::visit(Visit visit) {
  loop_.post([this, visit = std::move(visit)]() mutable {
    visit(store_.get(), trouble().value_or(inbox::StoreError::unavailable));
  });
}

std::optional<inbox::StoreError> StoreThread::trouble() const {
  const int trouble = trouble_;
  return trouble < 0 ? std::nullopt : std::optional(static_cast<inbox::StoreError>(trouble));
}

std::string StoreThread::path() const { return (std::filesystem::path(settings_.directory) / "inbox.db").string(); }

void StoreThread::open() {
  store_.reset();
  sweeping_ = false;
  auto store = inbox::SqliteStore::open(path(), settings_.limits, *random_);
  if (!store) {
    const bool read_only = store.error().kind == inbox::StoreError::failed && is_read_only(settings_.directory);
    return note(read_only ? inbox::StoreError::read_only : store.error().kind, store.error().message);
  }
  store_ = std::move(*store);
  file_ = {};
  ::stat(path().c_str(), &file_);
  note(store_->is_damaged() ? std::optional(inbox::StoreError::corrupt) : std::nullopt, store_->complaint());
}

// Says what has changed.
void StoreThread::note(std::optional<inbox::StoreError> trouble, const std::string& complaint) {
  const int now = trouble ? static_cast<int>(*trouble) : -1;
  const int before = trouble_.exchange(now);
  if (now == before) return;
  if (!trouble) {
    mend_at_ = never;
    return log_info("Notifications are accepted again.");
  }
  log_error(fmt::format("No notification is accepted: {}: {}", to_string(*trouble), complaint));
}

TimePoint StoreThread::next_deadline() const {
  if (store_ == nullptr) return mend_at_ == never ? TimePoint{} : mend_at_;  // never: mend() is to say when
  if (store_->waiting() > 0) return TimePoint{};                             // somebody has asked from a completion
  return trouble() ? std::min(mend_at_, sweep_at_) : sweep_at_;
}

void StoreThread::on_turn_end(TimePoint now) {
  if (store_ != nullptr) sweep(now);
  if (store_ != nullptr && store_->waiting() > 0) {
    stats_.commits.add();
    stats_.calls.add(store_->waiting());
    const auto committed = store_->commit();
    if (!committed) {
      stats_.failed_batches.add();
      on_failure(committed.error(), now);
    }
  }
  stats_.waiting_bytes.set(static_cast<std::int64_t>(waiting_bytes()));
  if (trouble()) mend(now);
}

// Damage that somebody meets is that of those whose notifications lie there; nobody else is concerned.
void StoreThread::on_failure(inbox::StoreError error, TimePoint now) {
  if (error != inbox::StoreError::corrupt || store_->is_damaged()) {
    note(error, store_->complaint());
    mend_at_ = std::min(mend_at_, now + mend_interval);  // also if producers go on trying
  } else if (now >= damage_said_at_ + damage_said_interval) {
    damage_said_at_ = now;
    log_error(
        fmt::format("Some notifications cannot be read or written: {}: {}", to_string(error), store_->complaint()));
  }
}

void StoreThread::mend(TimePoint now) {
  if (mend_at_ == never) mend_at_ = now + mend_interval;
  if (now < mend_at_ || (store_ != nullptr && store_->waiting() > 0)) return;
  mend_at_ = now + mend_interval;
  if (!can_stay_open()) return open();
  const auto probed = store_->probe();
  probed ? note(std::nullopt, "") : note(probed.error(), store_->complaint());
}

// What it holds can be read. Somebody may have put another file in its place, or mended this one: nobody else writes to it.
bool StoreThread::can_stay_open() const {
  if (store_ == nullptr) return false;
  if (*trouble() == inbox::StoreError::full && !store_->is_damaged()) return true;
  struct stat found{};
  if (::stat(path().c_str(), &found) != 0 || found.st_ino != file_.st_ino) return false;
  if (!store_->is_damaged()) return *trouble() == inbox::StoreError::read_only;
  return found.st_size == file_.st_size && found.st_mtim.tv_sec == file_.st_mtim.tv_sec &&
         found.st_mtim.tv_nsec == file_.st_mtim.tv_nsec;
}

void StoreThread::sweep(TimePoint now) {
  if (sweeping_ || now < sweep_at_ || trouble()) {
    if (trouble()) sweep_at_ = now + sweep_interval;
    return;
  }
  sweeping_ = true;
  sweep_at_ = now + sweep_interval;
  store_->sweep(io::Loop::unix_now(), sweep_size, [this, now](const Result<bool, inbox::StoreError>& more) {
    sweeping_ = false;
    if (more && *more) sweep_at_ = now;
  });
}

}  // namespace carillon::runtime
