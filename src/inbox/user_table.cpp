#include "inbox/user_table.hpp"

#include <utility>

#include "base/text_hash.hpp"

namespace carillon::inbox {
namespace {

constexpr std::size_t chunk_entries = 1'024;
constexpr std::size_t slots_min = 16;

std::uint32_t hash_of(std::string_view id) { return static_cast<std::uint32_t>(TextHash()(id)); }

}  // namespace

UserTable::Entry& UserTable::entry(std::uint32_t place) {
  return chunks_[(place - 1) / chunk_entries][(place - 1) % chunk_entries];
}

TailUser* UserTable::find(std::string_view id) {
  if (slots_.empty()) return nullptr;
  const std::uint32_t hash = hash_of(id);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = hash & mask; slots_[i].place != 0; i = (i + 1) & mask) {
    if (slots_[i].hash != hash) continue;
    if (Entry& found = entry(slots_[i].place); found.id == id) return &found.user;
  }
  return nullptr;
}

TailUser& UserTable::add(std::string_view id, TailUser user) {
  if ((size_ + 1) * 2 > slots_.size()) rebuild(slots_.empty() ? slots_min : slots_.size() * 2);
  const std::uint32_t place = take_place();
  insert({hash_of(id), place});
  ++size_;
  Entry& added = entry(place);
  added.id = id;
  added.user = std::move(user);
  return added.user;
}

std::uint32_t UserTable::take_place() {
  if (free_places_.empty()) {
    const std::size_t first = chunks_.size() * chunk_entries + 1;
    chunks_.push_back(std::make_unique<Entry[]>(chunk_entries));
    for (std::size_t i = chunk_entries; i-- > 0;) free_places_.push_back(static_cast<std::uint32_t>(first + i));
  }
  const std::uint32_t place = free_places_.back();
  free_places_.pop_back();
  return place;
}

void UserTable::insert(const Slot& slot) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t i = slot.hash & mask;
  while (slots_[i].place != 0) i = (i + 1) & mask;
  slots_[i] = slot;
}

// Without the slots of those that were forgotten.
void UserTable::rebuild(std::size_t slots) {
  const std::vector<Slot> before = std::exchange(slots_, std::vector<Slot>(slots));
  for (const Slot& slot : before)
    if (slot.place != 0) insert(slot);
}

void UserTable::forget_if(const std::function<bool(const TailUser&)>& is_unwanted) {
  for (Slot& slot : slots_) {
    if (slot.place == 0 || !is_unwanted(entry(slot.place).user)) continue;
    entry(slot.place) = {};
    free_places_.push_back(std::exchange(slot.place, 0));
    --size_;
  }
  rebuild(slots_.size());
}

void UserTable::for_each(const std::function<void(TailUser&)>& visit) {
  for (const Slot& slot : slots_)
    if (slot.place != 0) visit(entry(slot.place).user);
}

}  // namespace carillon::inbox
