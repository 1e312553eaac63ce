// What this node holds, by shard, and the subscriptions that bring its messages: shared by the pub/sub adapters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/counter.hpp"
#include "base/task.hpp"
#include "base/text_hash.hpp"
#include "redis/link.hpp"

namespace carillon::cluster {

// Channels are named alike in both adapters: "key#/#" for a namespace, "key#/#room#" for a room. Two things may share a
// name ("/" with room "/a#b", and so on): a channel is subscribed as long as one of them wants it.
// Owned by the backplane's shard.
class Interests {
 public:
  struct Rules {
    std::string key;
    redis::ChannelKind kind = redis::ChannelKind::plain;
    std::function<bool(std::string_view room)> has_channel;  // of its own; empty: every room has
  };
  // `held_rooms` counts the rooms that are held here. Both references must outlive the object.
  Interests(redis::Link& link, Gauge& held_rooms, Rules rules);

  // --- namespaces; each of these says whether that is news
  bool add_namespace(std::string_view name_space);  // for ever
  bool open_namespace(unsigned shard, std::string_view name_space);
  bool close_namespace(unsigned shard, std::string_view name_space);
  bool serves(std::string_view name_space) const;

  // --- channels beside those of rooms, as often unpinned as pinned
  void pin(std::string_view channel);
  void unpin(std::string_view channel);

  // --- rooms: see Adapter
  void open_room(unsigned shard, std::string_view name_space, std::string_view room, Task done);
  void await_room(std::string_view name_space, std::string_view room, Task done);
  void close_room(unsigned shard, std::string_view name_space, std::string_view room);

  // Whether a message on the channel can be for somebody here.
  bool wants(std::string_view channel) const { return interests_.contains(channel); }
  // Bit N: shard N holds one of the rooms; none given: all shards.
  std::uint64_t shards_for(std::string_view name_space, std::span<const std::string> rooms);

  // --- from the link
  void on_subscribed(std::string_view channel);
  void on_ready(bool ready);

 private:
  struct Interest {
    std::uint64_t shards = 0;  // that hold the room
    unsigned pins = 0;
    bool is_rooms = false;  // a room of that name has the channel to itself
    bool subscribed = false;
  };
  template <class T>
  using ByName = std::unordered_map<std::string, T, TextHash, std::equal_to<>>;

  Interest& at(std::string_view channel);
  // Rooms that share a channel share its Interest, but not their end. Whether the shard holds one of them still:
  void note_holder(std::string_view channel, unsigned shard, std::string_view name_space, std::string_view room);
  bool forget_holder(std::string_view channel, unsigned shard, std::string_view name_space, std::string_view room);
  void subscribe(std::string_view channel, Interest& interest);
  void settle(std::string_view channel);
  void wait_for(std::string_view channel, Task done);
  // Valid until the next call.
  std::string_view scratch_channel(std::string_view name_space, std::string_view room);

  redis::Link& link_;
  Gauge& held_rooms_;
  Rules rules_;
  std::set<std::string, std::less<>> fixed_;  // namespaces that are served here always
  ByName<std::uint64_t> opened_;              // others: by which shards
  ByName<Interest> interests_;                // by channel
  // Of channels that more than one room may have: which shard holds which, by the length of the namespace's name.
  ByName<std::set<std::pair<unsigned, std::size_t>>> holders_;
  ByName<std::vector<Task>> waiting_;  // by channel: not confirmed yet
  std::string channel_;                // of scratch_channel()
};

}  // namespace carillon::cluster
