#include "core/messages.hpp"

#include "core/words.hpp"

namespace hyades {

namespace {
constexpr Word<LaunchState> kLaunchStates[] = {
    {LaunchState::Starting, "starting"}, {LaunchState::Running, "running"},
    {LaunchState::Exited, "exited"},     {LaunchState::NeverStarted, "never-started"},
    {LaunchState::Lost, "lost"},         {LaunchState::Absent, "absent"},
};
}  // namespace

std::string_view to_string(LaunchState state) { return word_of(kLaunchStates, state); }

}  // namespace hyades
