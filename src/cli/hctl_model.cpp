#include "cli/hctl_model.hpp"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <optional>

#include "cli/failure.hpp"
#include "cli/master_client.hpp"
#include "cli/model_page.hpp"
#include "cli/printable.hpp"
#include "policy/learned/policy_header.hpp"

namespace hyades {
namespace {

constexpr int kPatienceToAct_ms = 10'000;
constexpr int kPatienceToAsk_ms = 2'000;
// A model is tried in a process of its own, which loads a large library.
constexpr int kCheck_ms = 120'000;
constexpr std::size_t kDigestLeast = 6;
constexpr std::size_t kDigestMost = 64;

// Nothing: it is a file; one of such a name is "./NAME".
std::optional<std::string> digest_in(std::string word) {
  for (char& letter : word) {
    if (letter >= 'A' && letter <= 'F') letter = static_cast<char>(letter - 'A' + 'a');
  }
  const bool is_digest = word.size() >= kDigestLeast && word.size() <= kDigestMost &&
                         word.find_first_not_of("0123456789abcdef") == word.npos;
  return is_digest ? std::optional(word) : std::nullopt;
}

pb::ModelList ask_models(const Command& command) {
  MasterClient client(command.name(), command.master(), command.retry_ms(kPatienceToAsk_ms));
  pb::ClientRequest request;
  request.mutable_show_models();
  return client.get(request).models();
}

int list_models(const Command& command) {
  const pb::ModelList list = ask_models(command);
  std::cout << (command.json() ? json_text(model_list_json(list))
                               : model_list_page(list, command.terminal()));
  return kExitGood;
}

pb::ModelInfo model_in(const std::string& file) {
  std::vector<jobscripts::NamedTensor> weights;
  const learned::PolicyHeader header =
      learned::parse_policy(learned::read_policy_file(file), file, weights);
  pb::ModelInfo model;
  model.set_name(file);
  model.set_source("file");
  model.set_digest(header.digest);
  for (const auto& [name, value] : header.facts) (*model.mutable_facts())[name] = value;
  return model;
}

int show_model(const Command& command, const std::string& word) {
  pb::ModelInfo shown;
  const std::optional<std::string> digest = digest_in(word);
  if (!digest) shown = model_in(word);
  const std::string wanted = digest.value_or(shown.digest());
  const pb::ModelList list = ask_models(command);
  const pb::ModelInfo* found = nullptr;
  for (const pb::ModelInfo& model : list.models()) {
    if (!model.digest().starts_with(wanted)) continue;
    if (found != nullptr && found->digest() != model.digest()) {
      throw Failure("several models have digests that begin with " + wanted + ": give more of it");
    }
    // One that the master keeps has a history.
    if (found == nullptr || model.source() == "kept") found = &model;
  }
  if (found == nullptr && shown.digest().empty()) {
    throw Failure("no model whose digest begins with " + wanted + " is known to the master");
  }
  if (found != nullptr) shown = *found;
  std::cout << (command.json() ? json_text(model_json(shown, list))
                               : model_page(shown, list, command.terminal()));
  return kExitGood;
}

void add_target(const std::string& word, pb::ActOnModel& act) {
  if (const std::optional<std::string> digest = digest_in(word)) {
    act.set_digest(*digest);
    return;
  }
  act.set_file(learned::read_policy_file(word));
  act.set_name(word);
}

int act_on_model(const Command& command, const pb::ActOnModel& act) {
  MasterClient client(command.name(), command.master(), command.retry_ms(kPatienceToAct_ms));
  pb::ClientRequest request;
  *request.mutable_act_on_model() = act;
  // A second rollback would go back further.
  const Retry retry = act.action() == pb::MODEL_ROLLBACK ? Retry::UntilSent : Retry::Always;
  const pb::ClientReply reply = client.ask(request, retry, kCheck_ms);
  if (!reply.error().empty()) throw Failure(reply.message());
  if (command.json()) {
    std::cout << json_text({{"ok", true}, {"message", reply.message()}});
  } else {
    std::cout << escape_text(reply.message()) << "\n";
  }
  return kExitGood;
}

int shadow(const Command& command, const std::vector<std::string>& words) {
  pb::ActOnModel act;
  if (command.has("off") == (words.size() == 2) || words.size() > 2) {
    command.usage_error("model shadow: name a file or a digest, or give --off");
  }
  act.set_action(command.has("off") ? pb::MODEL_SHADOW_OFF : pb::MODEL_SHADOW);
  if (words.size() == 2) add_target(words[1], act);
  return act_on_model(command, act);
}

int promote(const Command& command, const std::vector<std::string>& words) {
  pb::ActOnModel act;
  if (words.size() > 2 || (command.has("configured") && words.size() == 2)) {
    command.usage_error("model promote: name one file or digest, or give --configured");
  }
  act.set_action(command.has("configured") ? pb::MODEL_PROMOTE_CONFIGURED : pb::MODEL_PROMOTE);
  if (words.size() == 2) add_target(words[1], act);
  return act_on_model(command, act);
}

}  // namespace

int run_model_command(const Command& command, const std::vector<std::string>& words) {
  const std::string what = words.empty() ? "" : words.front();
  if (command.has("off") && what != "shadow") {
    command.usage_error("--off: only with 'hctl model shadow'");
  }
  if (command.has("configured") && what != "promote") {
    command.usage_error("--configured: only with 'hctl model promote'");
  }
  if (what == "list" && words.size() == 1) return list_models(command);
  if (what == "show" && words.size() == 2) return show_model(command, words[1]);
  if (what == "shadow") return shadow(command, words);
  if (what == "promote") return promote(command, words);
  if (what == "rollback" && words.size() == 1) {
    pb::ActOnModel act;
    act.set_action(pb::MODEL_ROLLBACK);
    return act_on_model(command, act);
  }
  command.usage_error(
      "model: use list, show DIGEST|FILE, shadow DIGEST|FILE, promote [DIGEST|FILE] or rollback");
}

std::string model_warning(const std::string& file) {
  if (file.empty()) return "";
  try {
    std::vector<jobscripts::NamedTensor> weights;
    learned::parse_policy(learned::read_policy_file(file), file, weights);
    return "";
  } catch (const std::exception& error) {
    return std::string("warning: [policy] model cannot be used here: ") + error.what();
  }
}

}  // namespace hyades
