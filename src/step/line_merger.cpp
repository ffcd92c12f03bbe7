#include "step/line_merger.hpp"

namespace hyades {

void LineMerger::put_line(int rank, std::string_view line, std::string& out) const {
  if (style_ != Style::Labelled) {
    out.append(line);
    return;
  }
  out.append(std::to_string(rank)).append(": ").append(line);
  if (!line.ends_with('\n')) out += '\n';
}

void LineMerger::add(int rank, int stream, std::string_view bytes, std::string& out) {
  if (style_ == Style::AsItComes) {
    out.append(bytes);
    return;
  }
  std::string& begun = begun_[{rank, stream}];
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end == bytes.npos ? end : end + 1);
    bytes.remove_prefix(piece.size());
    begun.append(piece);
    if (end == std::string_view::npos && begun.size() < line_bytes_max) return;
    put_line(rank, begun, out);
    begun.clear();
  }
}

void LineMerger::end(int rank, int stream, std::string& out) {
  const auto found = begun_.find({rank, stream});
  if (found == begun_.end()) return;
  if (!found->second.empty()) put_line(rank, found->second, out);
  begun_.erase(found);
}

}  // namespace hyades
