#include "runtime/store_port.hpp"

#include <utility>

namespace carillon::runtime {

template <class T>
void StorePort::carry(std::move_only_function<void(Store&, Done<T>)> call, Done<T> done) {
  home_.visit(
      [&shard = shard_, call = std::move(call), done = std::move(done)](Store* store, inbox::StoreError why) mutable {
        Done<T> answer = [&shard, done = std::move(done)](Result<T, inbox::StoreError> result) mutable {
          shard.post([done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
        };
        store != nullptr ? call(*store, std::move(answer)) : answer(Failure(why));
      });
}

void StorePort::accept(inbox::Acceptance acceptance, Done<inbox::Accepted> done) {
  const std::size_t bytes = acceptance.notification->bytes() + acceptance.users.size() * 64;
  if (*home_.waiting_bytes_ + bytes > home_.waiting_bytes_max_) return done(Failure(inbox::StoreError::overloaded));
  *home_.waiting_bytes_ += bytes;
  auto counted = [waiting = home_.waiting_bytes_, bytes,
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

void StorePort::open(std::string user, std::string device, Done<inbox::DeviceState> done) {
  carry<inbox::DeviceState>(
      [user = std::move(user), device = std::move(device)](Store& store, Done<inbox::DeviceState> answer) mutable {
        store.open(std::move(user), std::move(device), std::move(answer));
      },
      std::move(done));
}

void StorePort::read(inbox::ReadRequest request, Done<inbox::Page> done) {
  carry<inbox::Page>([request = std::move(request)](
                         Store& store, Done<inbox::Page> answer) { store.read(request, std::move(answer)); },
                     std::move(done));
}

void StorePort::prove(inbox::Proof proof, Done<void> done) {
  carry<void>([proof = std::move(proof)](Store& store, Done<void> answer) { store.prove(proof, std::move(answer)); },
              std::move(done));
}

void StorePort::mark_read(inbox::ReadMarks marks, Done<inbox::UserSummary> done) {
  carry<inbox::UserSummary>(
      [marks = std::move(marks)](Store& store, Done<inbox::UserSummary> answer) {
        store.mark_read(marks, std::move(answer));
      },
      std::move(done));
}

void StorePort::summarize(std::string user, UnixMs now, Done<inbox::UserSummary> done) {
  carry<inbox::UserSummary>(
      [user = std::move(user), now](Store& store, Done<inbox::UserSummary> answer) {
        store.summarize(user, now, std::move(answer));
      },
      std::move(done));
}

void StorePort::inspect(inbox::InspectRequest request, Done<std::optional<inbox::Trace>> done) {
  carry<std::optional<inbox::Trace>>(
      [request = std::move(request)](Store& store, Done<std::optional<inbox::Trace>> answer) {
        store.inspect(request, std::move(answer));
      },
      std::move(done));
}

void StorePort::sweep(UnixMs now, std::size_t notifications_max, Done<bool> done) {
  carry<bool>([now, notifications_max](Store& store,
                                       Done<bool> answer) { store.sweep(now, notifications_max, std::move(answer)); },
              std::move(done));
}

}  // namespace carillon::runtime
