// Result<T, E>: a value or an error. Cores return it instead of throwing.
#pragma once

#include <expected>

namespace carillon {

template <class T, class E>
using Result = std::expected<T, E>;

template <class E>
using Failure = std::unexpected<E>;

}  // namespace carillon
