#include "wire/client_session.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace hyades {

ClientSession::ClientSession(int fd, uid_t uid, gid_t gid, pid_t pid)
    : fd(fd), uid(uid), gid(gid), pid(pid) {}

ClientSession::~ClientSession() { close(fd); }

namespace {

std::string header_error(FrameCheck check, const FrameHeader& header, std::size_t length_max) {
  switch (check) {
    case FrameCheck::OtherVersion:
      return "This program speaks version " + std::to_string(header.version) +
             " of Hyades' protocol, the master version " + std::to_string(kProtocolVersion) +
             ". Use commands and a master of the same release.";
    case FrameCheck::TooLong:
      return "The request has " + std::to_string(header.length) + " bytes; at most " +
             std::to_string(length_max) + " are allowed.";
    default:
      return "This is not a Hyades request.";
  }
}

}  // namespace

ClientSession::Frame ClientSession::take(std::string_view bytes, std::size_t length_max,
                                         std::string_view& body, std::string& error) {
  // A request usually arrives in one piece and is then never copied.
  std::string_view all = bytes;
  if (!in_.empty()) {
    in_.append(bytes);
    all = in_;
  }
  FrameHeader header;
  const FrameType expected = wants_credential() ? FrameType::Credential : FrameType::Request;
  if (all.size() >= kFrameHeaderBytes) {
    const FrameCheck check = read_header(all.data(), expected, length_max, header);
    if (check != FrameCheck::Good) {
      error = header_error(check, header, length_max);
      return Frame::Bad;
    }
    const std::size_t whole = kFrameHeaderBytes + header.length;
    if (all.size() > whole) {
      error = "The request is followed by bytes that are not part of it.";
      return Frame::Bad;
    }
    if (all.size() == whole) {
      body = all.substr(kFrameHeaderBytes);
      return Frame::Complete;
    }
  }
  if (in_.empty()) in_.assign(bytes);
  return Frame::Partial;
}

ClientSession::Write ClientSession::send_some(std::string_view bytes, std::size_t& sent) {
  sent = 0;
  while (sent < bytes.size()) {
    const ssize_t count =
        send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) {
      sent += static_cast<std::size_t>(count);
    } else if (errno == EAGAIN) {
      return Write::Blocked;
    } else if (errno != EINTR) {
      return Write::Broken;
    }
  }
  return Write::Done;
}

ClientSession::Write ClientSession::write(std::string_view frame, BootMs now) {
  std::size_t sent = 0;
  const Write result = send_some(frame, sent);
  if (result == Write::Blocked) {
    out_.assign(frame.substr(sent));
    written_ = 0;
    reply_moved_ms = now;
  }
  return result;
}

ClientSession::Write ClientSession::flush(BootMs now) {
  std::size_t sent = 0;
  const Write result = send_some(std::string_view(out_).substr(written_), sent);
  written_ += sent;
  if (sent > 0) reply_moved_ms = now;
  if (result == Write::Done) {
    std::string().swap(out_);
    written_ = 0;
  }
  return result;
}

}  // namespace hyades
