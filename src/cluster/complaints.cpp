#include "cluster/complaints.hpp"

#include <cstddef>
#include <string>
#include <utility>

#include "base/json.hpp"
#include "base/log.hpp"

namespace carillon::cluster {
namespace {

constexpr std::size_t place_bytes_told_max = 200;

std::string_view describe(Malformed kind) {
  switch (kind) {
    case Malformed::not_msgpack:
      return "is not msgpack";
    case Malformed::not_a_broadcast:
      return "is not of the form [uid, packet, opts]";
    case Malformed::bad_packet:
      return "holds no event";
    case Malformed::nested_too_deep:
      return "is nested too deep";
    case Malformed::not_json:
      return "is not JSON";
    case Malformed::bad_request:
      return "lacks what a message of its type has";
    case Malformed::unknown_request:
      return "is of a type that this version does not know";
  }
  return "is malformed";
}

}  // namespace

void Complaints::reject(Malformed kind, std::string_view place) {
  const auto index = static_cast<std::size_t>(kind);
  statistics_.malformed[index].add();
  if ((told_ >> index & 1U) != 0) return;
  told_ |= 1U << index;
  std::string name;
  append_json_string(name, place.substr(0, place_bytes_told_max));
  log_warn(
      "A message in Redis, at " + name + ", " + std::string(describe(kind)) +
      " and was ignored. Some program other than Socket.IO servers and emitters, or one of another version, seems to "
      "write there; further such messages are only counted.");
}

void Complaints::cut_answer(std::string_view name_space) {
  statistics_.answers_cut.add();
  if (std::exchange(told_cut_, true)) return;
  log_warn(
      "Another server asked for all sockets or rooms of \"" + std::string(name_space) +
      "\", and they are too many for one answer: the rest was left out. Ask for fewer (in(room), or an operation such "
      "as disconnectSockets instead of fetchSockets), or raise cluster.answer_bytes_max and Redis' "
      "client-output-buffer-limit. Further such answers are only counted.");
}

}  // namespace carillon::cluster
