// A piece of work to be run once, on a thread to be stated by whoever takes it.
#pragma once

#include <functional>

namespace carillon {

using Task = std::move_only_function<void()>;

}  // namespace carillon
