// What waits to be written to one client.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "io/stream.hpp"

namespace carillon::runtime {

// Holds bytes by reference, with what keeps them alive: a frame is shared by all its receivers. Owned by the connection.
class OutputQueue {
 public:
  void push(std::shared_ptr<const void> owner, std::string_view bytes);

  bool empty() const { return chunks_.empty(); }
  std::size_t bytes() const { return bytes_; }
  // With what each piece costs beside its bytes.
  std::size_t held_bytes() const { return bytes_ + (chunks_.size() - head_) * sizeof(Chunk); }

  enum class Outcome : std::uint8_t {
    done,     // all is with the system
    blocked,  // the system takes no more for now
    failed,   // and will not any more
  };
  struct Progress {
    Outcome outcome;
    std::size_t bytes;  // written by this call
  };
  // `scratch`: for pieces that are copied together.
  Progress write(io::Stream& stream, std::string& scratch);

  std::string copy() const;  // what is still there
  void clear();

 private:
  struct Chunk {
    std::shared_ptr<const void> owner;
    std::string_view bytes;
  };

  std::expected<std::size_t, int> write_some(io::Stream& stream, std::string& scratch) const;
  void take_written(std::size_t bytes);
  void drop_written();

  std::vector<Chunk> chunks_;
  std::size_t head_ = 0;  // chunks before it have been written
  std::size_t bytes_ = 0;
};

}  // namespace carillon::runtime
