#include "engineio/frames.hpp"

#include <algorithm>
#include <mutex>

#include "base/base64.hpp"
#include "websocket/frame.hpp"

namespace carillon::engineio {
namespace {

constexpr char message_type = '\x04';  // as a byte: version 3

}  // namespace

struct Frames::Variant {
  BinaryForm form;
  FramesPtr frames;
  const Variant* next;
};

Frames::~Frames() {
  for (const Variant* variant = variants_.load(std::memory_order_acquire); variant != nullptr;) {
    const std::unique_ptr<const Variant> last(variant);
    variant = last->next;
  }
}

void Frames::append_text(std::string_view head, std::string_view tail) {
  const std::size_t size = head.size() + tail.size();
  wire_.reserve(wire_.size() + size + websocket::header_bytes_max);
  websocket::append_header(wire_, websocket::Opcode::text, size);
  parts_.push_back({wire_.size(), size, false});
  wire_.append(head).append(tail);
}

void Frames::append_text(std::string_view packet) { append_text(packet, {}); }

void Frames::append_binary(std::string_view bytes) {
  wire_.reserve(wire_.size() + bytes.size() + websocket::header_bytes_max);
  websocket::append_header(wire_, websocket::Opcode::binary, bytes.size());
  parts_.push_back({wire_.size(), bytes.size(), true});
  wire_.append(bytes);
}

// --- other forms ---

const FramesPtr& Frames::in_form(const FramesPtr& frames, BinaryForm form) {
  if (form == BinaryForm::raw || std::ranges::none_of(frames->parts_, &Part::binary)) return frames;
  if (const Variant* made = frames->find_variant(form)) return made->frames;
  // One lock for all: it is held while the first of all receivers of binary in an old form makes that form.
  static std::mutex making;
  const std::lock_guard lock(making);
  if (const Variant* made = frames->find_variant(form)) return made->frames;
  const Variant* last = frames->variants_.load(std::memory_order_relaxed);
  const auto* variant = new Variant{form, frames->make_variant(form), last};
  frames->variants_.store(variant, std::memory_order_release);
  return variant->frames;
}

const Frames::Variant* Frames::find_variant(BinaryForm form) const {
  const Variant* variant = variants_.load(std::memory_order_acquire);
  while (variant != nullptr && variant->form != form) variant = variant->next;
  return variant;
}

FramesPtr Frames::make_variant(BinaryForm form) const {
  auto variant = std::make_shared<Frames>();
  for (const Part& part : parts_) {
    const std::string_view bytes = payload(part);
    if (!part.binary) {
      variant->append_text(bytes);
    } else if (form == BinaryForm::typed) {
      variant->append_binary(message_type + std::string(bytes));
    } else {
      variant->append_text(form == BinaryForm::base64 ? "b" : "b4", base64(bytes));
    }
  }
  return variant;
}

FramesPtr make_text_frames(std::string_view packet) {
  auto frames = std::make_shared<Frames>();
  frames->append_text(packet);
  return frames;
}

FramesPtr make_binary_frames(std::string_view bytes) {
  auto frames = std::make_shared<Frames>();
  frames->append_binary(bytes);
  return frames;
}

}  // namespace carillon::engineio
