// How many connections and sessions there are, in total and by address, and whether there may be one more.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/ip_address.hpp"
#include "base/random.hpp"
#include "base/rate_limit.hpp"
#include "engineio/gate.hpp"

namespace carillon::runtime {

struct LedgerLimits {
  std::size_t connections_max = 0;                 // here and below 0: no limit
  std::size_t per_address_max = 0;                 // connections, and as many sessions
  RateLimit handshakes = {};                       // of one address
  std::vector<IpNetwork> unlimited_networks = {};  // have no limits by address; nor have Unix sockets
};

// An IPv4 address, or the first half of an IPv6 address: who has one such network has all the addresses in it.
struct LedgerKey {
  std::uint64_t bits = 0;
  bool v6 = false;
  friend bool operator==(const LedgerKey&, const LedgerKey&) = default;
};
struct LedgerKeyHash {  // seeded: nobody can choose addresses that meet in one place
  std::uint64_t seed = 0;
  std::size_t operator()(const LedgerKey& key) const;
};

// Shared by the shards of a node, which come here when somebody comes or goes, not with messages. Any thread.
class ClientLedger final : public engineio::Gate {
 public:
  ClientLedger(LedgerLimits limits, Random& random);

  // That a connection is counted, until this is gone; movable. It holds nothing where it was made without a ledger. The
  // ledger must outlive it.
  class Pass {
   public:
    Pass() = default;
    Pass(Pass&& other) noexcept
        : ledger_(std::exchange(other.ledger_, nullptr)), address_(std::exchange(other.address_, {})) {}
    Pass& operator=(Pass&& other) noexcept;
    ~Pass() { give_back(); }

   private:
    friend class ClientLedger;
    explicit Pass(ClientLedger& ledger) : ledger_(&ledger) {}
    void give_back();
    ClientLedger* ledger_ = nullptr;
    IpAddress address_;  // under which it is counted; none: under no address
  };

  // None: there are too many connections.
  std::optional<Pass> admit();
  // The client's address has become known. False: there are too many connections from there.
  bool count_address(Pass& pass, const IpAddress& address);

  // engineio::Gate. What is no address has no limits.
  Answer ask(std::string_view address, TimePoint now) override;
  void opened(std::string_view address) override;
  void closed(std::string_view address) override;

  // Addresses that are remembered; for tests.
  std::size_t accounts() const;

 private:
  using Key = LedgerKey;
  using KeyHash = LedgerKeyHash;
  struct Account {
    std::uint32_t connections = 0;
    std::uint32_t sessions = 0;
    TokenBucket handshakes;
  };
  using Accounts = std::unordered_map<Key, Account, KeyHash>;
  struct Stripe {
    mutable std::mutex mutex;
    Accounts accounts;  // guarded by mutex, as the others
    std::size_t sweep_at = 0;
  };
  static constexpr std::size_t stripe_count = 16;

  std::optional<Key> key_of(const IpAddress& address) const;
  std::optional<Key> key_of(std::string_view address) const;
  Stripe& stripe_of(const Key& key) { return stripes_[KeyHash{seed_}(key) >> 60]; }
  static void forget_if_unused(Stripe& stripe, Accounts::iterator account);
  static void sweep(Stripe& stripe, TimePoint now);
  void leave(const IpAddress& address);

  LedgerLimits limits_;
  std::uint64_t seed_;
  std::atomic<std::size_t> connections_{0};
  std::array<Stripe, stripe_count> stripes_;
};

}  // namespace carillon::runtime
