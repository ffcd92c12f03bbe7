#include "worker/pam_session.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "step/mpi_variables.hpp"

namespace hyades {
namespace {

constexpr std::size_t said_bytes_max = 200;
constexpr std::size_t service_bytes_max = 64;

constexpr const char* letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

bool is_there(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

// Without its file PAM would take the service "other", which is about something else.
bool has_service(std::string name) {
  for (char& letter : name) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');  // as PAM
  }
  for (const char* directory : {"/etc/pam.d/", "/usr/lib/pam.d/", "/usr/etc/pam.d/"}) {
    if (is_there(directory + name)) return true;
  }
  return is_there("/etc/pam.conf") && !is_there("/etc/pam.d");
}

// Modules that run programs pass theirs on, and nothing that started Hyades is their business.
void take_plain_environment() {
  clearenv();
  setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
}

std::string name_of(const std::string& variable) { return variable.substr(0, variable.find('=')); }

bool is_variable(const std::string& text) {
  const std::string name = name_of(text);
  const std::string others = std::string(letters) + "_0123456789";
  return name.size() < text.size() && !name.empty() && !(name[0] >= '0' && name[0] <= '9') &&
         name.find_first_not_of(others) == name.npos;
}

bool is_reserved(const std::string& variable) {
  for (const char* prefix : {"LD_", "HYADES_", "SLURM_"}) {
    if (variable.starts_with(prefix)) return true;
  }
  return belongs_to_outer_mpi(variable);
}

}  // namespace

bool is_pam_service(const std::string& name) {
  return !name.empty() && name.size() <= service_bytes_max && name.front() != '.' &&
         name.find_first_not_of(std::string(letters) + "0123456789._-") == name.npos;
}

std::string PamSession::open(const std::string& service, const std::string& user) {
  service_ = service;
  user_ = user;
  const std::string trouble = load_pam(library_);
  if (!trouble.empty()) return "PAM service \"" + service + "\": " + trouble;
  if (!has_service(service)) {
    return "there is no PAM service \"" + service + "\" on this node: /etc/pam.d/" + service +
           " does not exist";
  }
  take_plain_environment();
  for (std::size_t i = 0; i < limits_.size(); ++i) {
    getrlimit(static_cast<__rlimit_resource>(i), &limits_[i]);
  }
  conversation_ = {talk, this};
  const int status = library_.start(service.c_str(), user.c_str(), &conversation_, &handle_);
  if (status != pam::success) return failed("cannot be used for", status);
  return ask();
}

std::string PamSession::ask() {
  // No PAM_RHOST: a job is no login from somewhere else, which access rules may forbid.
  library_.set_item(handle_, pam::item_remote_user, user_.c_str());
  library_.set_item(handle_, pam::item_tty, "hyades");
  std::string trouble;
  int status = library_.check_account(handle_, 0);
  const void* name = nullptr;
  if (status != pam::success) {
    trouble = failed("does not admit", status);
  } else if (library_.get_item(handle_, pam::item_user, &name) != pam::success || name == nullptr ||
             user_ != static_cast<const char*>(name)) {
    trouble = "PAM service \"" + service_ + "\" has made another user of \"" + user_ + '"';
  }
  if (trouble.empty()) {
    said_.clear();
    status = library_.set_credentials(handle_, pam::establish_credentials);
    if (status != pam::success) trouble = failed("has no credentials for", status);
  }
  if (trouble.empty()) {
    said_.clear();
    status = library_.open_session(handle_, 0);
    if (status == pam::success) return "";
    trouble = failed("opens no session for", status);
    library_.set_credentials(handle_, pam::delete_credentials);
  }
  end(status);
  return trouble;
}

void PamSession::end(int status) {
  library_.end(handle_, status);
  handle_ = nullptr;
}

std::string PamSession::failed(const std::string& what, int status) const {
  std::string text = "PAM service \"" + service_ + "\" " + what + " user \"" + user_ + "\"";
  if (handle_ != nullptr) {  // without one PAM need not know what its numbers mean
    text += std::string(": ") + library_.describe(handle_, status);
  }
  return said_.empty() ? text : text + "; it said: " + said_;
}

std::vector<std::string> PamSession::environment() {
  std::vector<std::string> result;
  char** const list = library_.list_environment(handle_);
  if (list == nullptr) return result;
  for (char** at = list; *at != nullptr; ++at) {
    result.emplace_back(*at);
    std::free(*at);
  }
  std::free(list);
  return result;
}

void PamSession::restore_limits() const {
  for (std::size_t i = 0; i < limits_.size(); ++i) {
    const auto resource = static_cast<__rlimit_resource>(i);
    if (setrlimit(resource, &limits_[i]) == 0) continue;
    rlimit now = {};  // at least what may still be had
    if (getrlimit(resource, &now) != 0) continue;
    now.rlim_cur = now.rlim_max;
    setrlimit(resource, &now);
  }
}

std::string PamSession::close() {
  said_.clear();
  const int status = library_.close_session(handle_, 0);
  std::string trouble;
  if (status != pam::success) trouble = failed("cannot close the session of", status);
  said_.clear();
  const int after = library_.set_credentials(handle_, pam::delete_credentials);
  if (trouble.empty() && after != pam::success) {
    trouble = failed("cannot delete the credentials of", after);
  }
  end(status);
  return trouble;
}

// C calls it, so nothing may be thrown; what it returns is freed by PAM.
int PamSession::talk(int count, const PamMessage** messages, PamAnswer** answers, void* self) {
  if (count <= 0) return pam::conversation_trouble;
  for (int i = 0; i < count; ++i) {
    const int style = messages[i]->style;
    if (style != pam::style_error && style != pam::style_information) {
      return pam::conversation_trouble;
    }
    static_cast<PamSession*>(self)->hear(*messages[i]);
  }
  *answers =
      static_cast<PamAnswer*>(std::calloc(static_cast<std::size_t>(count), sizeof **answers));
  return *answers == nullptr ? pam::memory_trouble : pam::success;
}

void PamSession::hear(const PamMessage& message) {
  if (message.text == nullptr || said_.size() >= said_bytes_max) return;
  if (!said_.empty()) said_ += ' ';
  for (const char* at = message.text; *at != 0 && said_.size() < said_bytes_max; ++at) {
    said_ += static_cast<unsigned char>(*at) < ' ' ? ' ' : *at;
  }
}

std::vector<std::string> pam_additions(const std::vector<std::string>& from,
                                       const std::vector<std::string>& environment) {
  std::set<std::string> known;
  for (const std::string& variable : environment) known.insert(name_of(variable));
  std::vector<std::string> added;
  for (const std::string& variable : from) {
    if (!is_variable(variable) || is_reserved(variable)) continue;
    if (known.insert(name_of(variable)).second) added.push_back(variable);
  }
  return added;
}

}  // namespace hyades
