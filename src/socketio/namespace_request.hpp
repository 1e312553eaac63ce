// A CONNECT for a namespace that does not exist: the application's parents are asked, one after the other.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>

#include <carillon/namespace.hpp>

#include "socketio/shard_link.hpp"

namespace carillon::socketio {

class Client;

// Owned by the client, on its shard.
class NamespaceRequest : public std::enable_shared_from_this<NamespaceRequest> {
 public:
  // What is asked; the application may keep it.
  struct Question {
    std::string name;
    Value auth;
  };
  NamespaceRequest(Client& client, std::string name, Value auth)
      : client_(client), question_(std::make_shared<Question>(std::move(name), std::move(auth))) {}

  const std::string& name() const { return question_->name; }
  const Value& auth() const { return question_->auth; }

  // Ends, now or later, in Client::on_namespace(). The caller holds a pointer to it.
  void ask(std::size_t parent);
  void on_answer(std::size_t parent, bool allowed);

 private:
  Client& client_;
  std::shared_ptr<const Question> question_;
};

// Where a NamespaceAllow leads to. Any thread, and longer than the server.
class AllowTarget {
 public:
  AllowTarget(std::weak_ptr<NamespaceRequest> request, std::shared_ptr<const NamespaceRequest::Question> question,
              std::size_t parent, std::shared_ptr<ShardLink> shard)
      : request_(std::move(request)), question_(std::move(question)), parent_(parent), shard_(std::move(shard)) {}

  void answer(bool allowed);

 private:
  std::weak_ptr<NamespaceRequest> request_;
  std::shared_ptr<const NamespaceRequest::Question> question_;  // kept for the application
  std::size_t parent_;
  std::shared_ptr<ShardLink> shard_;
  std::atomic<bool> called_ = false;
};

}  // namespace carillon::socketio
