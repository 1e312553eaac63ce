#include "socketio/operation.hpp"

#include <iterator>
#include <utility>

#include "socketio/application_call.hpp"
#include "socketio/server_core.hpp"

namespace carillon::socketio {
namespace {

template <class T>
void move_behind(std::vector<T>& all, std::vector<T>& more) {
  if (all.empty()) {
    all = std::move(more);
  } else {
    all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }
}

// Waits for the parts of an answer. Its state belongs to the shard that asked; any thread may hold it.
class Gather {
 public:
  Gather(ServerCore& home, std::size_t parts, OperationPtr operation, OperationDone done)
      : home_(home), missing_(parts), operation_(std::move(operation)), done_(std::move(done)) {}

  void add(OperationResult part) {
    add_to(sum_, std::move(part));
    if (--missing_ > 0) return;
    call_application(home_.stats(), "the outcome of an operation on", operation_->whom().name_space,
                     [this] { done_(sum_); });
  }

 private:
  ServerCore& home_;
  std::size_t missing_;
  OperationPtr operation_;
  OperationDone done_;
  OperationResult sum_;
};

void run_on(ServerCore& core, Task task) {
  ShardPort& shard = core.surroundings().shard;
  if (shard.is_current()) {
    task();
  } else {
    shard.post(std::move(task));
  }
}

}  // namespace

void add_to(OperationResult& sum, OperationResult part) {
  move_behind(sum.acks.responses, part.acks.responses);
  move_behind(sum.acks.missing_ids, part.acks.missing_ids);
  sum.acks.missing += part.acks.missing;
  move_behind(sum.sockets, part.sockets);
  move_behind(sum.rooms, part.rooms);
  move_behind(sum.answers, part.answers);
  sum.count += part.count;
  sum.missing_servers += part.missing_servers;
}

void operate_on_shards(std::span<ServerCore* const> shards, std::size_t home, OperationPtr operation,
                       OperationDone done) {
  ServerCore& asker = *shards[home];
  const OperationPtr asked = std::move(operation);
  const auto gather = std::make_shared<Gather>(asker, shards.size() + 1, asked, std::move(done));
  for (ServerCore* core : shards) {
    run_on(*core, [core, asked, gather, &asker] {
      core->operate(*asked, [gather, &asker](OperationResult part) {
        run_on(asker, [gather, part = std::move(part)]() mutable { gather->add(std::move(part)); });
      });
    });
  }
  // The last part comes by mail, so that nobody is called back before the call has returned.
  asker.surroundings().shard.post([gather] { gather->add({}); });
}

}  // namespace carillon::socketio
