// What this server adds to its entries in a stream where clients are recovered by it. Published servers pass over it.
//
//   entry of a broadcast: one more field,       "seq" decimal                  ; counts those of the node
//   note:                 "uid" node "nsp" "/" "type" "2" "early" decimal "-" decimal
//
// A note says that the node gave the broadcasts with these numbers to its own clients before it knew their entries, because
// Redis did not answer: none of its clients can say whether it had them. It comes behind them. To servers of old
// versions it is a heartbeat.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "redis/link.hpp"

namespace carillon::cluster {

struct StreamNote {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};

std::optional<std::uint64_t> entry_number(redis::StreamFieldsView fields);
void add_number(redis::StreamFields& fields, std::uint64_t number);

std::optional<StreamNote> read_note(redis::StreamFieldsView fields);
redis::StreamFields note_entry(std::string_view node, const StreamNote& note);

}  // namespace carillon::cluster
