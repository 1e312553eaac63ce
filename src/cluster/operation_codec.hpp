// Parts of messages that all adapters read and write alike, as values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <carillon/args.hpp>
#include <carillon/value.hpp>

#include "base/result.hpp"
#include "cluster/statistics.hpp"
#include "socketio/broadcast.hpp"

namespace carillon::cluster {

// "rooms": [ *text ]; numbers are their text. None if it is something else; missing and null are none at all.
std::optional<std::vector<std::string>> read_rooms(const Value* value);
Value rooms_value(const std::vector<std::string>& rooms);

// opts = { "rooms": [...], "except": [...], "flags": { "volatile", "compress", "timeout", ... } } into the selection.
Result<void, Malformed> read_selection(const Value* options, socketio::Selection& selection);
Value selection_value(const socketio::Selection& selection);

// [ event, *argument ]. False: it is no such array.
bool read_event_data(const Value* data, std::string& event, Args& args);
// None if the arguments are nested too deep.
std::optional<Value> event_data(const std::string& event, const Args& args);

std::optional<std::string> text_member(const Value& object, std::string_view key);

// Whether there is binary anywhere inside.
bool has_binary(const Value& value);

}  // namespace carillon::cluster
