#include "inbox/deliverer.hpp"

#include <utility>

namespace carillon::inbox {

Deliverer::Deliverer(const DeliveryOptions& options, Store& store, TimerWheel& timers, std::string node)
    : context_{options, store, timers, std::move(node)} {}

Deliverer::~Deliverer() {
  for (const auto& [user, recipients] : recipients_)
    for (const auto& recipient : recipients) recipient->end();
}

void Deliverer::set_time(TimePoint now, UnixMs unix_now) {
  context_.now = now;
  context_.unix_now = unix_now;
}

std::shared_ptr<Recipient> Deliverer::add(RecipientIdentity identity, RecipientPort& port) {
  auto recipient = std::make_shared<Recipient>(context_, std::move(identity), port);
  auto& of_user = recipients_[recipient->identity().user];
  of_user.push_back(recipient);
  context_.stats.recipients.add(1);
  if (watcher_ != nullptr && of_user.size() == 1) watcher_->on_user(recipient->identity().user, true);
  recipient->start();
  return recipient;
}

void Deliverer::remove(Recipient& recipient) {
  const auto user = recipients_.find(recipient.identity().user);
  if (user == recipients_.end()) return;
  const auto is_this = [&](const auto& other) { return other.get() == &recipient; };
  const auto keep = recipient.shared_from_this();
  if (std::erase_if(user->second, is_this) == 0) return;
  if (user->second.empty()) {
    recipients_.erase(user);
    if (watcher_ != nullptr) watcher_->on_user(recipient.identity().user, false);
  }
  context_.stats.recipients.add(-1);
  recipient.end();
}

std::vector<std::shared_ptr<Recipient>> Deliverer::recipients_of(std::string_view user) const {
  const auto found = recipients_.find(user);
  return found == recipients_.end() ? std::vector<std::shared_ptr<Recipient>>() : found->second;
}

void Deliverer::on_signal(const Signal& signal) {
  for (const auto& recipient : recipients_of(signal.user)) recipient->on_signal(signal);
}

void Deliverer::on_head(std::string_view user, const Position& head) {
  for (const auto& recipient : recipients_of(user)) recipient->on_head(head);
}

void Deliverer::on_read(const ReadEvent& event) {
  for (const auto& recipient : recipients_of(event.user)) recipient->tell_read(event);
}

}  // namespace carillon::inbox
