// LimitOptions, as each layer takes them.
#pragma once

#include <carillon/limit_options.hpp>

#include "engineio/options.hpp"
#include "runtime/client_ledger.hpp"
#include "runtime/service.hpp"
#include "socketio/server_core.hpp"

namespace carillon::runtime {

// Of HTTP; a body's size is left as it is.
void apply_limits(const LimitOptions& options, ServiceLimits& limits);
// Of clients; those of the API are as fast as they like.
RateLimit request_limit(const LimitOptions& options);
void apply_limits(const LimitOptions& options, engineio::Options& engine);
void apply_limits(const LimitOptions& options, socketio::Options& socketio);

// Throws std::invalid_argument where a network is none.
LedgerLimits ledger_limits(const LimitOptions& options);

}  // namespace carillon::runtime
