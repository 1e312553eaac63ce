#include "runtime/store_thread.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <functional>
#include <stdexcept>
#include <utility>

#include "base/log.hpp"

namespace carillon::runtime {
namespace {

constexpr Milliseconds mend_interval{1'000};
constexpr Milliseconds sweep_interval{2'000};
constexpr std::size_t sweep_size = 500;

}  // namespace

// Carries calls to the store's thread and answers back. Belongs to its shard.
class StoreThread::Port final : public inbox::Store {
 public:
  Port(StoreThread& owner, socketio::ShardPort& shard) : owner_(owner), shard_(shard) {}

  void accept(inbox::Acceptance acceptance, Done<inbox::Accepted> done) override {
    const std::size_t bytes = acceptance.notification->bytes() + acceptance.users.size() * 64;
    if (*owner_.waiting_bytes_ + bytes > owner_.settings_.waiting_bytes_max)
      return done(Failure(inbox::StoreError::overloaded));
    *owner_.waiting_bytes_ += bytes;
    // Shared, because an answer may lie in the shard's mail when the thread object is gone.
    auto counted = [waiting = owner_.waiting_bytes_, bytes,
                    done = std::move(done)](Result<inbox::Accepted, inbox::StoreError> result) mutable {
      *waiting -= bytes;
      done(std::move(result));
    };
    carry<inbox::Accepted>(
        [acceptance = std::move(acceptance)](Store& store, Done<inbox::Accepted> answer) mutable {
          store.accept(std::move(acceptance), std::move(answer));
        },
        std::move(counted));
  }
  void open(std::string user, std::string device, Done<inbox::DeviceState> done) override {
    carry<inbox::DeviceState>(
        [user = std::move(user), device = std::move(device)](Store& store, Done<inbox::DeviceState> answer) mutable {
          store.open(std::move(user), std::move(device), std::move(answer));
        },
        std::move(done));
  }
  void read(inbox::ReadRequest request, Done<inbox::Page> done) override {
    carry<inbox::Page>([request = std::move(request)](
                           Store& store, Done<inbox::Page> answer) { store.read(request, std::move(answer)); },
                       std::move(done));
  }
  void prove(inbox::Proof proof, Done<void> done) override {
    carry<void>([proof = std::move(proof)](Store& store, Done<void> answer) { store.prove(proof, std::move(answer)); },
                std::move(done));
  }
  void mark_read(inbox::ReadMarks marks, Done<inbox::UserSummary> done) override {
    carry<inbox::UserSummary>(
        [marks = std::move(marks)](Store& store, Done<inbox::UserSummary> answer) {
          store.mark_read(marks, std::move(answer));
        },
        std::move(done));
  }
  void summarize(std::string user, UnixMs now, Done<inbox::UserSummary> done) override {
    carry<inbox::UserSummary>(
        [user = std::move(user), now](Store& store, Done<inbox::UserSummary> answer) {
          store.summarize(user, now, std::move(answer));
        },
        std::move(done));
  }
  void inspect(inbox::InspectRequest request, Done<std::optional<inbox::Trace>> done) override {
    carry<std::optional<inbox::Trace>>(
        [request = std::move(request)](Store& store, Done<std::optional<inbox::Trace>> answer) {
          store.inspect(request, std::move(answer));
        },
        std::move(done));
  }
  void sweep(UnixMs now, std::size_t notifications_max, Done<bool> done) override {
    carry<bool>([now, notifications_max](Store& store,
                                         Done<bool> answer) { store.sweep(now, notifications_max, std::move(answer)); },
                std::move(done));
  }

 private:
  template <class T>
  void carry(std::move_only_function<void(Store&, Done<T>)> call, Done<T> done) {
    owner_.loop_.post([&owner = owner_, &shard = shard_, call = std::move(call), done = std::move(done)]() mutable {
      Done<T> answer = [&shard, done = std::move(done)](Result<T, inbox::StoreError> result) mutable {
        shard.post([done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
      };
      if (owner.store_ != nullptr) return call(*owner.store_, std::move(answer));
      answer(Failure(owner.trouble().value_or(inbox::StoreError::unavailable)));
    });
  }

  StoreThread& owner_;
  socketio::ShardPort& shard_;
};

StoreThread::StoreThread(Settings settings) : settings_(std::move(settings)) {}

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
  return std::make_unique<Port>(*this, shard);
}

std::optional<inbox::StoreError> StoreThread::trouble() const {
  const int trouble = trouble_;
  return trouble < 0 ? std::nullopt : std::optional(static_cast<inbox::StoreError>(trouble));
}

void StoreThread::open() {
  store_.reset();
  sweeping_ = false;
  const std::string path = (std::filesystem::path(settings_.directory) / "inbox.db").string();
  auto store = inbox::SqliteStore::open(path, settings_.limits, *random_);
  if (!store) return note(store.error().kind, store.error().message);
  store_ = std::move(*store);
  note(std::nullopt, "");
}

// Says what has changed.
void StoreThread::note(std::optional<inbox::StoreError> trouble, const std::string& complaint) {
  const int now = trouble ? static_cast<int>(*trouble) : -1;
  const int before = trouble_.exchange(now);
  if (now == before) return;
  if (!trouble) return log_info("Notifications are accepted again.");
  log_error(fmt::format("No notification is accepted: {}: {}", to_string(*trouble), complaint));
}

TimePoint StoreThread::next_deadline() const {
  if (store_ != nullptr && store_->waiting() > 0) return TimePoint{};  // somebody has asked from a completion
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
      note(committed.error(), store_->complaint());
      mend_at_ = now + mend_interval;
    }
  }
  stats_.waiting_bytes.set(static_cast<std::int64_t>(waiting_bytes_->load()));
  if (trouble()) mend(now);
}

void StoreThread::mend(TimePoint now) {
  if (mend_at_ == never) mend_at_ = now + mend_interval;
  if (now < mend_at_ || (store_ != nullptr && store_->waiting() > 0)) return;
  mend_at_ = now + mend_interval;
  const bool writable =
      store_ != nullptr && (*trouble() == inbox::StoreError::full || *trouble() == inbox::StoreError::read_only);
  if (!writable) return open();
  if (const auto probed = store_->probe(); probed) return note(std::nullopt, "");
  if (*trouble() != inbox::StoreError::full) open();  // somebody may have put another file in its place
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
