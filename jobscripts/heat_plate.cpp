#include "heat_plate.hpp"

#include "checksum.hpp"
#include "file_io.hpp"
#include "little_endian.hpp"
#include "sealed_file.hpp"

namespace hyades::jobscripts {
namespace {

constexpr std::size_t kHeaderBytes = 3 * sizeof(std::uint64_t);

FileKind checkpoint_kind(const std::string& path) {
  return {"HYCHECK1", "checkpoint",
          "Remove it (rm " + path + ") to begin again, or name another with --checkpoint"};
}

}  // namespace

HeatPlate::HeatPlate(std::size_t side) : side_(side), heat_(side * side, 0.0) {
  for (std::size_t i = 0; i < side; ++i) {
    heat_[i] = 100.0;                                            // top edge
    heat_[i * side] = 100.0 * (1.0 - double(i) / double(side));  // left edge
  }
  next_ = heat_;
}

void HeatPlate::step() {
  for (std::size_t y = 1; y + 1 < side_; ++y) {
    const double* above = heat_.data() + (y - 1) * side_;
    const double* row = above + side_;
    const double* below = row + side_;
    double* out = next_.data() + y * side_;
    for (std::size_t x = 1; x + 1 < side_; ++x) {
      out[x] = 0.25 * ((above[x] + below[x]) + (row[x - 1] + row[x + 1]));
    }
  }
  heat_.swap(next_);
  ++steps_done_;
}

std::uint64_t HeatPlate::checksum() const { return checksum_of(heat_); }

void HeatPlate::write_checkpoint(const std::string& path) const {
  std::string payload;
  payload.reserve(kHeaderBytes + heat_.size() * sizeof(double));
  append_little_endian<std::uint64_t>(payload, side_);
  append_little_endian(payload, steps_done_);
  append_little_endian(payload, times_resumed_);
  for (const double value : heat_) append_little_endian(payload, value);
  write_sealed_file(path, checkpoint_kind(path), payload);
}

HeatPlate HeatPlate::resume(const std::string& path, std::size_t side) {
  const FileKind kind = checkpoint_kind(path);
  const std::string payload = read_sealed_file(path, kind);
  if (payload.size() < kHeaderBytes) throw FileError(path, "checkpoint without header", kind.fix);
  const auto stored = read_little_endian<std::uint64_t>(payload, 0);
  if (stored != side) {
    throw FileError(
        path,
        "checkpoint of a plate of side " + std::to_string(stored) + ", not " + std::to_string(side),
        kind.fix);
  }
  HeatPlate plate(side);
  if (payload.size() != kHeaderBytes + plate.heat_.size() * sizeof(double)) {
    throw FileError(path, "checkpoint whose length does not match its side", kind.fix);
  }
  plate.steps_done_ = read_little_endian<std::int64_t>(payload, 8);
  plate.times_resumed_ = read_little_endian<std::int64_t>(payload, 16) + 1;
  for (std::size_t i = 0; i < plate.heat_.size(); ++i) {
    plate.heat_[i] = read_little_endian<double>(payload, kHeaderBytes + i * sizeof(double));
  }
  return plate;
}

}  // namespace hyades::jobscripts
