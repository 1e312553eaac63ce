// From an endpoint to its listeners.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "io/endpoint.hpp"
#include "io/listener.hpp"

namespace carillon::io {

// Those that share an address, for one loop each.
using ListenerGroup = std::vector<std::unique_ptr<Listener>>;

// For each address of the endpoint `loops` listeners; a Unix socket has one whatever `loops` is. Port 0 becomes the same
// free port for all addresses. Of a name's addresses those that this machine does not have are left out.
// Throws std::system_error when it cannot listen there, std::invalid_argument for a name without an address.
std::vector<ListenerGroup> listen_at(const Endpoint& endpoint, std::size_t loops);

}  // namespace carillon::io
