#include "runtime/inbox.hpp"

#include <utility>

#include "runtime/inbox_socket.hpp"
#include "runtime/shard.hpp"

namespace carillon::runtime {

// --- of a shard ---

ShardInbox::ShardInbox(Inbox& inbox, Shard& shard, const InboxOptions& options, const std::string& node)
    : inbox_(inbox),
      shard_(shard),
      options_(options),
      store_(std::make_unique<StorePort>(inbox.home(), shard)),
      deliverer_(options.delivery, *store_, shard.timers(), node) {
  if (inbox.desk() != nullptr) deliverer_.set_watcher(this);
}

ShardInbox::~ShardInbox() = default;

// Before the cursor is asked for: a signal that comes from then on is heard, or found when the subscription is confirmed.
void ShardInbox::on_user(const std::string& user, bool present) {
  if (present) return inbox_.desk()->want(user, shard_, *this);
  inbox_.desk()->unwant(user, *this);
}

void ShardInbox::set_time(TimePoint now) { deliverer_.set_time(now, io::Loop::unix_now()); }

std::unique_ptr<socketio::SocketWatcher> ShardInbox::watch(socketio::SocketCore& socket) {
  return std::make_unique<InboxSocket>(*this, socket, options_.device_of(socket.handshake()));
}

// --- of the node ---

Inbox::Inbox(InboxOptions options) : options_(std::move(options)) {
  if (!options_.desk) store_thread_.emplace(options_.store);
}

StoreHome& Inbox::home() {
  if (store_thread_) return *store_thread_;
  return *desk_;
}

std::optional<inbox::StoreError> Inbox::trouble() const {
  if (store_thread_) return store_thread_->trouble();
  return desk_ != nullptr ? desk_->trouble() : std::nullopt;
}

std::unique_ptr<ShardInbox> Inbox::make_shard(Shard& shard, const std::string& node) {
  auto part = std::make_unique<ShardInbox>(*this, shard, options_, node);
  shards_.push_back(&shard);
  parts_.push_back(part.get());
  return part;
}

void Inbox::forget_shards() {
  shards_.clear();
  parts_.clear();
}

void Inbox::on_each_shard(const std::function<void(inbox::Deliverer&)>& task) {
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    if (shards_[i]->is_current()) {
      task(parts_[i]->deliverer());
    } else {
      shards_[i]->post([task, part = parts_[i]] { task(part->deliverer()); });
    }
  }
}

// In Redis an append tells who listens by itself, this node, too, and with what lies there: of a request that was cut short
// the id is that of the first attempt.
void Inbox::accept(inbox::Acceptance acceptance, inbox::Store::Done<inbox::Accepted> done) {
  if (desk_ != nullptr) return parts_.front()->store().accept(std::move(acceptance), std::move(done));
  auto notification = acceptance.notification;
  parts_.front()->store().accept(
      std::move(acceptance), [this, notification = std::move(notification),
                              done = std::move(done)](Result<inbox::Accepted, inbox::StoreError> accepted) mutable {
        if (accepted && !accepted->placements.empty()) {
          auto signals = std::make_shared<std::vector<inbox::Signal>>();
          for (inbox::Placement& placement : accepted->placements)
            signals->push_back({std::move(placement.user), std::move(placement.position), notification});
          on_each_shard([signals](inbox::Deliverer& deliverer) {
            for (const inbox::Signal& signal : *signals) deliverer.on_signal(signal);
          });
        }
        done(std::move(accepted));
      });
}

void Inbox::tell_read(inbox::ReadEvent event) {
  if (desk_ != nullptr) return desk_->tell_read(std::move(event));  // which comes back to this node, too
  const auto shared = std::make_shared<const inbox::ReadEvent>(std::move(event));
  on_each_shard([shared](inbox::Deliverer& deliverer) { deliverer.on_read(*shared); });
}

}  // namespace carillon::runtime
