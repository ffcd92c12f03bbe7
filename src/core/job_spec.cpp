#include "core/job_spec.hpp"

#include "core/words.hpp"

namespace hyades {

namespace {

constexpr Word<DependencyKind> kDependencyKinds[] = {
    {DependencyKind::After, "after"},
    {DependencyKind::AfterAny, "afterany"},
    {DependencyKind::AfterOk, "afterok"},
    {DependencyKind::AfterNotOk, "afternotok"},
};

}  // namespace

std::string_view to_string(DependencyKind kind) { return word_of(kDependencyKinds, kind); }

bool parse_dependency_kind(std::string_view word, DependencyKind& out) {
  return parse_word(kDependencyKinds, word, out);
}

}  // namespace hyades
