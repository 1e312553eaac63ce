#include "redis/reply_error.hpp"

#include <array>
#include <utility>

namespace carillon::redis {
namespace {

// Commands that belong to the login must succeed, those that only prove life may fail, messages are lost one by one.
Consequence usual_consequence(Command command) {
  switch (command) {
    case Command::auth:
      return Consequence::reconnect;
    case Command::select:
      return Consequence::reconnect;
    case Command::set_name:
      return Consequence::carry_on;
    case Command::role:  // not everybody may ask
      return Consequence::carry_on;
    case Command::ping:
      return Consequence::carry_on;
    case Command::publish:
      return Consequence::drop;
    case Command::append:
      return Consequence::drop;
    case Command::asking:
      return Consequence::carry_on;
    case Command::canary:
      return Consequence::reconnect;
    case Command::subscribe:
      return Consequence::reconnect;
    case Command::request:
      return Consequence::drop;
    case Command::inspect:
      return Consequence::reconnect;
    case Command::read:
      return Consequence::reconnect;
  }
  return Consequence::reconnect;
}

}  // namespace

ErrorReply classify_error(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, ErrorReply>, 13> words{{
      {"NOAUTH", ErrorReply::no_auth},
      {"WRONGPASS", ErrorReply::wrong_password},
      {"NOPERM", ErrorReply::no_permission},
      {"LOADING", ErrorReply::loading},
      {"READONLY", ErrorReply::read_only},
      {"MASTERDOWN", ErrorReply::master_down},
      {"MOVED", ErrorReply::cluster},
      {"ASK", ErrorReply::cluster},
      {"CLUSTERDOWN", ErrorReply::cluster},
      {"TRYAGAIN", ErrorReply::cluster},
      {"CROSSSLOT", ErrorReply::cluster},
      {"OOM", ErrorReply::out_of_memory},
      {"BUSY", ErrorReply::busy},
  }};
  const std::string_view word = text.substr(0, text.find(' '));
  for (const auto& [name, error] : words)
    if (word == name) return error;
  const auto says = [&](std::string_view part) { return text.find(part) != std::string_view::npos; };
  if (says("no such key")) return ErrorReply::no_such_key;
  if (says("max number of clients")) return ErrorReply::too_many_clients;
  if (says("no password is set") || says("without any password configured")) return ErrorReply::no_password;
  if (says("invalid password") || says("invalid username-password")) return ErrorReply::wrong_password;
  if (says("operation not permitted")) return ErrorReply::no_auth;  // Redis before 2.8
  return ErrorReply::other;
}

Consequence consequence_of(Command command, ErrorReply error) {
  switch (error) {
    case ErrorReply::no_auth:
    case ErrorReply::wrong_password:
    case ErrorReply::loading:
    case ErrorReply::read_only:  // after a failover the name may lead to the new master
    case ErrorReply::master_down:
    case ErrorReply::too_many_clients:
      return Consequence::reconnect;
    case ErrorReply::no_password:
      return command == Command::auth ? Consequence::carry_on : Consequence::reconnect;
    case ErrorReply::no_such_key:
      return command == Command::inspect ? Consequence::carry_on : usual_consequence(command);
    case ErrorReply::no_permission:
    case ErrorReply::cluster:
    case ErrorReply::out_of_memory:
    case ErrorReply::busy:
    case ErrorReply::other:
      return usual_consequence(command);
  }
  return Consequence::reconnect;
}

std::string_view advice(ErrorReply error) {
  switch (error) {
    case ErrorReply::no_auth:
      return "put the password into the URL: redis://:PASSWORD@HOST";
    case ErrorReply::wrong_password:
      return "check user and password in the URL";
    case ErrorReply::no_password:
      return "the password in the URL is not needed";
    case ErrorReply::no_permission:
      return "the ACL user lacks the right to this command, channel or key: see the list in docs/cluster.md";
    case ErrorReply::loading:
      return "Redis is still starting";
    case ErrorReply::read_only:
      return "the URL leads to a replica: give the master's address";
    case ErrorReply::master_down:
      return "the URL leads to a replica that has lost its master";
    case ErrorReply::cluster:
      return "this is a node of a Redis Cluster: use redis+cluster://";
    case ErrorReply::out_of_memory:
      return "Redis is at its memory limit";
    case ErrorReply::busy:
      return "a script blocks Redis";
    case ErrorReply::too_many_clients:
      return "raise maxclients of Redis";
    case ErrorReply::no_such_key:
    case ErrorReply::other:
      return "";
  }
  return "";
}

}  // namespace carillon::redis
