// Targets for what people write: scripts, the configuration, options.
#include <algorithm>

#include "cli/begin_time.hpp"
#include "cli/dependency_list.hpp"
#include "cli/directives.hpp"
#include "cli/printable.hpp"
#include "cli/signal_name.hpp"
#include "core/assert.hpp"
#include "core/hostlist.hpp"
#include "core/id_set.hpp"
#include "core/units.hpp"
#include "fuzz_targets.hpp"
#include "master/config_file.hpp"
#include "master/config_render.hpp"

namespace hyades::fuzz {
namespace {

// Messages go to terminals.
void check_messages(const std::vector<std::string>& messages) {
  for (const std::string& message : messages) {
    HYADES_ASSERT(!message.empty() && escape_text(message) == message);
  }
}

void check_words(const std::vector<DirectiveWord>& words, std::ptrdiff_t lines) {
  for (const DirectiveWord& word : words) HYADES_ASSERT(word.line >= 1 && word.line <= lines);
}

void check_amounts(const std::string& text) {
  int seconds = -1;
  if (parse_duration_s(text, seconds)) {
    int again = -1;
    HYADES_ASSERT(seconds >= 0 && parse_duration_s(format_duration(seconds), again));
    HYADES_ASSERT(again == seconds);
  }
  MiB mib = -1;
  if (parse_memory_mib(text, mib)) {
    MiB again = -1;
    HYADES_ASSERT(mib >= 0 && parse_memory_mib(format_memory(mib), again) && again == mib);
  }
}

void check_sets(const std::string& text) {
  IdSet ids;
  if (IdSet::parse(text, ids)) {
    IdSet again;
    HYADES_ASSERT(IdSet::parse(ids.to_string(), again) && again == ids);
  }
  std::vector<std::string> names;
  std::string error;
  if (!expand_hostlist(text, names, error)) {
    HYADES_ASSERT(names.empty() && !error.empty());
    return;
  }
  if (names.size() > 1000) return;  // nothing new, and slow
  std::vector<std::string> again;
  HYADES_ASSERT(expand_hostlist(compress_hostlist(names), again, error));
  std::sort(names.begin(), names.end());
  std::sort(again.begin(), again.end());
  HYADES_ASSERT(names == again);
}

}  // namespace

void fuzz_directives(std::string_view bytes) {
  const std::string script(bytes);
  const Directives found = scan_directives(script, "job.sh");
  const auto lines = 1 + std::count(script.begin(), script.end(), '\n');
  check_words(found.hsub, lines);
  check_words(found.sbatch, lines);
  check_messages(found.errors);
  check_messages(found.warnings);
  const std::string wrong = check_first_line(script, "job.sh");
  if (!wrong.empty()) check_messages({wrong});
}

void fuzz_config(std::string_view bytes) {
  const ConfigResult result = parse_config(std::string(bytes), "hyades.toml");
  HYADES_ASSERT(result.config.has_value() == result.errors.empty());
  check_messages(result.errors);
  if (!result.config) return;
  const std::string rendered = render_config(*result.config);
  const ConfigResult again = parse_config(rendered, "rendered.toml");
  HYADES_ASSERT(again.config.has_value());
  HYADES_ASSERT(render_config(*again.config) == rendered);
}

void fuzz_expressions(std::string_view bytes) {
  const std::string text(bytes);
  check_amounts(text);
  check_sets(text);
  std::vector<Dependency> dependencies;
  HYADES_ASSERT(parse_dependencies(text, dependencies).empty() || dependencies.empty());
  WarningSignal warning;
  if (parse_warning_signal(text, warning).empty()) {
    HYADES_ASSERT(warning.signal >= 0 && warning.seconds_before_end >= 0);
  }
  constexpr WallMs now_ms = 1'700'000'000'000;
  WallMs time_ms = 0;
  for (const bool future : {false, true}) {
    HYADES_ASSERT(!parse_point_in_time(text, now_ms, future, time_ms).empty() || time_ms != 0);
  }
}

}  // namespace hyades::fuzz
