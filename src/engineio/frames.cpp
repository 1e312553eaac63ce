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

// The argument outlives what the caller does with the result; a copy would cost each receiver a count of references.
const FramesPtr& Frames::in_form(const FramesPtr& frames, BinaryForm form) {
  // NOLINTNEXTLINE(bugprone-return-const-ref-from-parameter)
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
  variant->compressible_ = compressible_;
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

// --- compression ---

std::string_view Frames::deflated_wire(websocket::Deflater& deflater, std::size_t threshold_bytes) const {
  if (!compressible_ || wire_.size() < threshold_bytes) return wire_;
  std::call_once(deflate_once_, [&] { deflate(deflater, threshold_bytes); });
  return deflated_wire_ ? std::string_view(*deflated_wire_) : std::string_view(wire_);
}

void Frames::deflate(websocket::Deflater& deflater, std::size_t threshold_bytes) const {
  std::string wire;
  std::string compressed;
  std::size_t done = 0;  // of wire_
  for (const Part& part : parts_) {
    if (part.size < threshold_bytes) continue;
    const std::string_view payload = this->payload(part);
    compressed.clear();
    deflater.compress(payload, compressed);
    if (compressed.size() >= payload.size()) continue;
    // What lies between is left as it is: the frames of other parts.
    const std::size_t frame = part.offset - websocket::header_size(part.size);
    wire.append(wire_, done, frame - done);
    websocket::append_compressed_header(wire, part.binary ? websocket::Opcode::binary : websocket::Opcode::text,
                                        compressed.size());
    wire += compressed;
    done = part.offset + part.size;
  }
  if (done == 0) return;
  wire.append(wire_, done);
  wire.shrink_to_fit();
  deflated_wire_ = std::make_unique<const std::string>(std::move(wire));
}

FramesPtr Frames::without_compression(const Frames& frames) {
  auto copy = std::make_shared<Frames>();
  copy->wire_ = frames.wire_;
  copy->parts_ = frames.parts_;
  copy->compressible_ = false;
  return copy;
}

FramesPtr Frames::with_bytes(const Frames& frames, std::size_t at, std::string_view bytes) {
  auto copy = std::make_shared<Frames>();
  copy->wire_ = frames.wire_;
  copy->parts_ = frames.parts_;
  copy->compressible_ = frames.compressible_;
  copy->overwrite(at, bytes);
  return copy;
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
