#include "policy/learned/training_bytes.hpp"

#include <unordered_map>

#include "policy/global_choice.hpp"

namespace hyades::learned {
namespace {

constexpr std::uint64_t kNothing = ~std::uint64_t{0};  // nothing follows

static_assert(std::is_trivially_copyable_v<GlobalState>);

// Every state that the experiences know, each once, in the order in which they name them.
class StateTable {
 public:
  explicit StateTable(std::span<const Experience> experiences) {
    for (const Experience& experience : experiences) {
      add(experience.state.get());
      if (experience.next) add(experience.next.get());
    }
  }
  const std::vector<const GlobalState*>& states() const { return states_; }
  std::uint64_t place(const GlobalState* state) const {
    return state == nullptr ? kNothing : places_.at(state);
  }

 private:
  void add(const GlobalState* state) {
    if (places_.emplace(state, states_.size()).second) states_.push_back(state);
  }

  std::vector<const GlobalState*> states_;
  std::unordered_map<const GlobalState*, std::uint64_t> places_;
};

bool take_experience(Taker& from, const std::vector<std::shared_ptr<const GlobalState>>& states,
                     Experience& experience) {
  std::uint64_t state = 0, next = 0, choice = 0;
  if (!from.take(state) || !from.take(next) || !from.take(choice) ||
      !from.take(experience.numbers) || !from.take(experience.gain) ||
      !from.take(experience.discount)) {
    return false;
  }
  const bool has_next = next != kNothing;
  if (state >= states.size() || (has_next && next >= states.size())) return false;
  if (choice >= global_choices_count) return false;
  experience.choice = choice;
  experience.state = states[state];
  if (has_next) experience.next = states[next];
  return true;
}

}  // namespace

void put_text(std::string& out, const std::string& text) {
  put_value(out, static_cast<std::uint64_t>(text.size()));
  out += text;
}

bool take_text(Taker& from, std::string& text) {
  std::vector<char> letters;
  if (!take_list(from, letters)) return false;
  text.assign(letters.begin(), letters.end());
  return true;
}

void put_tensors(std::string& out, const std::vector<jobscripts::NamedTensor>& tensors) {
  put_value(out, static_cast<std::uint64_t>(tensors.size()));
  for (const jobscripts::NamedTensor& tensor : tensors) {
    put_text(out, tensor.name);
    put_list(out, tensor.shape);
    put_list(out, tensor.values);
  }
}

bool take_tensors(Taker& from, std::vector<jobscripts::NamedTensor>& tensors) {
  std::uint64_t count = 0;
  if (!from.take(count)) return false;
  tensors.clear();
  for (std::uint64_t i = 0; i < count; ++i) {
    jobscripts::NamedTensor& tensor = tensors.emplace_back();
    if (!take_text(from, tensor.name) || !take_list(from, tensor.shape) ||
        !take_list(from, tensor.values)) {
      return false;
    }
    std::uint64_t values = 1;
    for (const std::int64_t size : tensor.shape) values *= static_cast<std::uint64_t>(size);
    if (values != tensor.values.size()) return false;
  }
  return true;
}

void put_experiences(std::string& out, std::span<const Experience> experiences) {
  const StateTable table(experiences);
  put_value(out, static_cast<std::uint64_t>(table.states().size()));
  for (const GlobalState* state : table.states()) put(out, state, 1);
  put_value(out, static_cast<std::uint64_t>(experiences.size()));
  for (const Experience& experience : experiences) {
    put_value(out, table.place(experience.state.get()));
    put_value(out, table.place(experience.next.get()));
    put_value(out, static_cast<std::uint64_t>(experience.choice));
    put_value(out, experience.numbers);
    put_value(out, experience.gain);
    put_value(out, experience.discount);
  }
}

bool take_experiences(Taker& from, std::vector<Experience>& experiences) {
  std::uint64_t count = 0;
  if (!from.take(count)) return false;
  std::vector<std::shared_ptr<const GlobalState>> states;
  for (std::uint64_t i = 0; i < count; ++i) {
    auto state = std::make_shared<GlobalState>();
    if (!from.take(*state)) return false;
    states.push_back(std::move(state));
  }
  if (!from.take(count)) return false;
  experiences.clear();
  for (std::uint64_t i = 0; i < count; ++i) {
    Experience experience;
    if (!take_experience(from, states, experience)) return false;
    experiences.push_back(std::move(experience));
  }
  return true;
}

}  // namespace hyades::learned
