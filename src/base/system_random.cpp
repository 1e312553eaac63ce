// The one source of real randomness.
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/random.hpp"

namespace carillon {
namespace {

// Ids are drawn several times per connection; a pool saves most of the calls into OpenSSL.
class SystemRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> bytes) override {
    for (std::uint8_t& byte : bytes) {
      if (next_ == pool_.size()) refill();
      byte = pool_[next_++];
    }
  }

 private:
  void refill() {
    // Without randomness session ids could be guessed: there is nothing sensible left to do.
    if (RAND_bytes(pool_.data(), static_cast<int>(pool_.size())) != 1) std::abort();
    next_ = 0;
  }

  std::array<std::uint8_t, 1024> pool_{};
  std::size_t next_ = pool_.size();
};

}  // namespace

std::unique_ptr<Random> make_system_random() { return std::make_unique<SystemRandom>(); }

}  // namespace carillon
