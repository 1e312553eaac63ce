#include "socketio/namespace_request.hpp"

#include "socketio/application_call.hpp"
#include "socketio/client.hpp"
#include "socketio/server_core.hpp"

namespace carillon {

namespace socketio {

void NamespaceRequest::ask(std::size_t parent) {
  ServerCore& server = client_.server();
  const auto& parents = server.registry().parents();
  if (parent == parents.size()) return client_.on_namespace(*this, nullptr, "Invalid namespace");
  const auto target = std::make_shared<AllowTarget>(weak_from_this(), question_, parent, server.shard_link());
  const bool returned = call_application(server.stats(), "whether there is a namespace", name(), [&] {
    parents[parent].predicate(question_->name, question_->auth, NamespaceAllow(target));
  });
  if (!returned) target->answer(false);  // fails closed
}

void NamespaceRequest::on_answer(std::size_t parent, bool allowed) {
  const auto keep = shared_from_this();
  if (!allowed) return ask(parent + 1);
  NamespaceCore* name_space = client_.server().create_child(name(), parent);
  client_.on_namespace(*this, name_space, "Too many namespaces");
}

void AllowTarget::answer(bool allowed) {
  if (called_.exchange(true)) return;
  shard_->run([weak = request_, parent = parent_, allowed] {
    if (const auto request = weak.lock()) request->on_answer(parent, allowed);
  });
}

}  // namespace socketio

void NamespaceAllow::operator()(bool allowed) const { target_->answer(allowed); }

}  // namespace carillon
