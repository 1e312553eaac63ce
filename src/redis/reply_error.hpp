// What an error reply of Redis means for the connection and the command.
#pragma once

#include <cstdint>
#include <string_view>

namespace carillon::redis {

enum class Command : std::uint8_t {
  auth,
  select,
  set_name,
  role,
  ping,
  publish,  // PUBLISH, SPUBLISH
  append,   // XADD
  canary,
  subscribe,  // all that change subscriptions
  asking,     // before a message that another node has sent here
  request,    // somebody's, who gets the answer
  inspect,    // XINFO STREAM of a followed stream
  read,       // XREAD, which waits on the other side
};

// By the first word of the reply, and its text where the word is just "ERR".
enum class ErrorReply : std::uint8_t {
  no_auth,         // NOAUTH: no password given, one is needed
  wrong_password,  // WRONGPASS, "invalid password"
  no_password,     // AUTH although Redis has no password configured
  no_permission,   // NOPERM: an ACL forbids it
  loading,         // LOADING: Redis reads its data
  read_only,       // READONLY: a replica
  master_down,     // MASTERDOWN: a replica without its master
  cluster,         // MOVED, ASK, CLUSTERDOWN, TRYAGAIN, CROSSSLOT
  out_of_memory,   // OOM
  busy,            // BUSY: a script runs
  no_such_key,
  too_many_clients,
  other,
};
ErrorReply classify_error(std::string_view text);

enum class Consequence : std::uint8_t {
  carry_on,   // as if it had succeeded
  drop,       // the message is lost and counted, the request's sender is told
  reconnect,  // close, and try again later
};
Consequence consequence_of(Command command, ErrorReply error);

// What the operator can do about it: a clause that follows the error's text, or empty.
std::string_view advice(ErrorReply error);

}  // namespace carillon::redis
