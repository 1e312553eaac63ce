// POST /v1/batch: {"items":[{"op":"notify" or "emit", and what POST /v1/notifications or /v1/emit takes}...]}
//
// -> 200 {"results":[{"status":N, and what the single call answers}...]} in the order of the items. Each stands alone: one that
// is refused does not keep the others from being done. Items of one batch are begun in order.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "api/notifications.hpp"
#include "base/result.hpp"

namespace carillon::api {

inline constexpr std::size_t batch_items_max = 1'000;

struct BatchItem {
  std::string op;    // "notify" or "emit"; else `error` says what is wrong
  std::string body;  // of the single call
  Error error{};
};

// Errors are those of the whole: what is wrong with an item stands in it.
Result<std::vector<BatchItem>, Error> parse_batch(std::string_view body);

// `notifications`: null where there is no inbox; then each `notify` is answered with 501.
void add_batch_route(http::Router& router, NotificationPort* notifications, socketio::BroadcastPort& sockets,
                     NotifyDefaults defaults);

}  // namespace carillon::api
