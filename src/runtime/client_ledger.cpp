#include "runtime/client_ledger.hpp"

#include <algorithm>
#include <span>

namespace carillon::runtime {
namespace {

constexpr std::size_t sweep_from = 1024;  // accounts of a stripe

std::uint64_t bits_of(std::span<const std::uint8_t> bytes) {
  std::uint64_t bits = 0;
  for (const std::uint8_t byte : bytes) bits = bits << 8 | byte;
  return bits;
}

std::uint64_t random_bits(Random& random) {
  std::array<std::uint8_t, 8> bytes{};
  random.fill(bytes);
  return bits_of(bytes);
}

}  // namespace

ClientLedger::ClientLedger(LedgerLimits limits, Random& random)
    : limits_(std::move(limits)), seed_(random_bits(random)) {
  for (Stripe& stripe : stripes_) {
    stripe.accounts = Accounts(0, KeyHash{seed_});
    stripe.sweep_at = sweep_from;
  }
}

// The finalizer of SplitMix64.
std::size_t LedgerKeyHash::operator()(const LedgerKey& key) const {
  std::uint64_t hash = (key.bits ^ (key.v6 ? ~std::uint64_t{0} : 0)) + seed;
  hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9U;
  hash = (hash ^ hash >> 27) * 0x94d049bb133111ebU;
  return hash ^ hash >> 31;
}

std::optional<ClientLedger::Key> ClientLedger::key_of(const IpAddress& address) const {
  const std::span<const std::uint8_t> bytes = address.bytes();
  if (bytes.empty()) return std::nullopt;
  const auto contains = [&](const IpNetwork& network) { return network.contains(address); };
  if (std::ranges::any_of(limits_.unlimited_networks, contains)) return std::nullopt;
  const bool v6 = bytes.size() > 4;
  return Key{bits_of(v6 ? bytes.first(8) : bytes), v6};
}

std::optional<ClientLedger::Key> ClientLedger::key_of(std::string_view address) const {
  const auto parsed = IpAddress::parse(address);
  return parsed ? key_of(*parsed) : std::nullopt;
}

// --- connections ---

std::optional<ClientLedger::Pass> ClientLedger::admit() {
  if (connections_.fetch_add(1) >= limits_.connections_max && limits_.connections_max != 0) {
    connections_.fetch_sub(1);
    return std::nullopt;
  }
  return Pass(*this);
}

bool ClientLedger::count_address(Pass& pass, const IpAddress& address) {
  if (pass.ledger_ == nullptr || limits_.per_address_max == 0) return true;
  const auto key = key_of(address);
  if (!key) return true;
  Stripe& stripe = stripe_of(*key);
  const std::lock_guard lock(stripe.mutex);
  Account& account = stripe.accounts[*key];
  if (account.connections >= limits_.per_address_max) return false;
  ++account.connections;
  pass.address_ = address;
  return true;
}

void ClientLedger::leave(const IpAddress& address) {
  connections_.fetch_sub(1);
  if (address.is_none()) return;
  const auto key = key_of(address);
  if (!key) return;
  Stripe& stripe = stripe_of(*key);
  const std::lock_guard lock(stripe.mutex);
  const auto found = stripe.accounts.find(*key);
  --found->second.connections;
  forget_if_unused(stripe, found);
}

ClientLedger::Pass& ClientLedger::Pass::operator=(Pass&& other) noexcept {
  if (this != &other) {
    give_back();
    ledger_ = std::exchange(other.ledger_, nullptr);
    address_ = std::exchange(other.address_, {});
  }
  return *this;
}

void ClientLedger::Pass::give_back() {
  if (ledger_ != nullptr) std::exchange(ledger_, nullptr)->leave(address_);
}

// --- sessions ---

engineio::Gate::Answer ClientLedger::ask(std::string_view address, TimePoint now) {
  const auto key = key_of(address);
  if (!key) return Answer::come_in;
  Stripe& stripe = stripe_of(*key);
  const std::lock_guard lock(stripe.mutex);
  if (stripe.accounts.size() >= stripe.sweep_at) sweep(stripe, now);
  Account& account = stripe.accounts[*key];
  if (limits_.per_address_max != 0 && account.sessions >= limits_.per_address_max) return Answer::too_many_sessions;
  if (!account.handshakes.take(limits_.handshakes, now)) return Answer::too_many_handshakes;
  return Answer::come_in;
}

void ClientLedger::opened(std::string_view address) {
  const auto key = key_of(address);
  if (!key) return;
  Stripe& stripe = stripe_of(*key);
  const std::lock_guard lock(stripe.mutex);
  ++stripe.accounts[*key].sessions;
}

void ClientLedger::closed(std::string_view address) {
  const auto key = key_of(address);
  if (!key) return;
  Stripe& stripe = stripe_of(*key);
  const std::lock_guard lock(stripe.mutex);
  const auto found = stripe.accounts.find(*key);
  --found->second.sessions;
  forget_if_unused(stripe, found);
}

// --- accounts ---

// Where there were handshakes they count on: until a sweep finds that they no longer do.
void ClientLedger::forget_if_unused(Stripe& stripe, Accounts::iterator account) {
  const auto& [connections, sessions, handshakes] = account->second;
  if (connections == 0 && sessions == 0 && handshakes.is_full(TimePoint())) stripe.accounts.erase(account);
}

// The next one comes when there are twice as many as are left: each address pays for a constant share of it.
void ClientLedger::sweep(Stripe& stripe, TimePoint now) {
  std::erase_if(stripe.accounts, [now](const auto& entry) {
    const auto& [connections, sessions, handshakes] = entry.second;
    return connections == 0 && sessions == 0 && handshakes.is_full(now);
  });
  stripe.sweep_at = std::max(sweep_from, 2 * stripe.accounts.size());
}

std::size_t ClientLedger::accounts() const {
  std::size_t count = 0;
  for (const Stripe& stripe : stripes_) {
    const std::lock_guard lock(stripe.mutex);
    count += stripe.accounts.size();
  }
  return count;
}

}  // namespace carillon::runtime
