// Who may know whom (the table in the design), and what may stand nowhere. Rules are functions from
// files to complaints, so that each can be shown to notice a file that breaks it.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "source_text.hpp"

namespace hyades {
namespace {

using Complaints = std::vector<std::string>;
using Words = std::set<std::string>;

void add(Complaints& all, const Complaints& more) {
  all.insert(all.end(), more.begin(), more.end());
}

// core -> policy -> {master, sim}; core -> telemetry -> worker; core -> wire -> {master, worker,
// cli}; wire -> step -> {worker, cli}. Each part knows itself and what is listed.
const std::map<std::string, Words>& may_know() {
  static const std::map<std::string, Words> table = {
      {"core", {}},
      {"policy", {"core"}},
      {"telemetry", {"core"}},
      {"wire", {"core"}},
      {"sim", {"core", "policy"}},
      {"master", {"core", "policy", "wire"}},
      {"step", {"core", "wire"}},
      {"worker", {"core", "step", "telemetry", "wire"}},
      {"report", {}},  // given away: a header for the programs of jobs
      {"trace", {"core"}},
      {"cli", {"core", "report", "step", "trace", "wire"}},
      {"hsim", {"cli", "core", "policy", "trace"}},
  };
  return table;
}

// The main functions put the parts together, so they know all of them.
bool is_main(const SourceFile& file) { return file.path.rfind("src/master/programs/", 0) == 0; }

// htrain learns from replays, so it knows the simulator; nobody knows it.
bool is_trainer(const SourceFile& file) { return file.path.rfind("src/policy/learned/", 0) == 0; }

// Each exception says what it is for.
bool is_excused(const SourceFile& file, const std::string& include) {
  static const std::set<std::pair<std::string, std::string>> excused = {
      // `hctl config check` has to read the file exactly as the master would.
      {"src/cli/hctl.cpp", "master/config_file.hpp"},
      // `hsim` replays under such files, and `hctl config check --against` does what it does.
      {"src/hsim/replay_config.cpp", "master/config_file.hpp"},
      {"src/cli/hctl_what_if.cpp", "hsim/log_output.hpp"},
      {"src/cli/hctl_what_if.cpp", "hsim/replay_config.hpp"},
      {"src/cli/hctl_what_if.cpp", "hsim/what_if.hpp"},
      {"src/cli/hctl_what_if.cpp", "master/config_file.hpp"},
      // Replays ask the advisor that the master asks.
      {"src/hsim/replay_advisor.cpp", "master/advisor_process.hpp"},
      // `hctl policy replay` does so, too.
      {"src/cli/hctl_policy.cpp", "hsim/replay_advisor.hpp"},
      {"src/cli/hctl_policy.cpp", "policy/adviser_bytes.hpp"},
      {"src/cli/hctl_policy.cpp", "master/kept_model.hpp"},
      // `hctl model` reads files of models as the master does.
      {"src/cli/hctl_model.cpp", "policy/learned/policy_header.hpp"},
      // `hctl node rejoin` asks the supervisor, which is nobody's server, through a file.
      {"src/cli/hctl.cpp", "master/run_files.hpp"},
  };
  return excused.count({file.path, include}) > 0;
}

Complaints check_layers(const SourceFile& file) {
  Complaints complaints;
  const auto row = may_know().find(file.part());
  if (file.part().empty() || is_main(file) || is_trainer(file)) return {};
  if (row == may_know().end()) return {file.path + ": part '" + file.part() + "' has no layer"};
  for (const std::string& include : file.quoted) {
    const std::size_t slash = include.find('/');
    const std::string part = slash == std::string::npos ? "" : include.substr(0, slash);
    if (!may_know().count(part) || part == file.part() || row->second.count(part)) continue;
    if (is_excused(file, include)) continue;
    complaints.push_back(file.path + " may not include " + include);
  }
  return complaints;
}

// core, policy and the simulation decide; they must give the same answer on every machine and every
// day. So no header that does I/O, reads a clock, throws dice or starts threads.
Complaints check_purity(const SourceFile& file) {
  if (file.part() != "core" && file.part() != "policy" && file.part() != "sim") return {};
  // They make and ask models with a library, where no decision waits for it.
  if (file.path.rfind("src/policy/boosting/", 0) == 0) return {};
  if (file.path.rfind("src/policy/learned/", 0) == 0) return {};
  static const Words allowed = {
      "bit",     "bitset",      "algorithm",     "array",         "charconv",   "compare",
      "cstddef", "cstdint",     "cstring",       "deque",         "functional", "iterator",
      "limits",  "map",         "memory",        "numeric",       "optional",   "queue",
      "set",     "span",        "sstream",       "stdexcept",     "string",     "string_view",
      "tuple",   "type_traits", "unordered_map", "unordered_set", "utility",    "variant",
      "vector",  "cmath",       "cassert"};
  static const std::set<std::pair<std::string, std::string>> excused = {
      {"src/core/assert.cpp", "cstdio"},  // its last words
      {"src/core/assert.cpp", "cstdlib"},
      {"src/core/units.cpp", "cstdio"},  // snprintf
      {"src/sim/trace.hpp", "cstdio"},   // what a person reads of a run
  };
  Complaints complaints;
  for (const std::string& header : file.bracketed) {
    if (!allowed.count(header) && !excused.count({file.path, header})) {
      complaints.push_back(file.path + " may not include <" + header + ">");
    }
  }
  add(complaints, places(file, file.code, R"(\b(getenv|setenv|std::chrono|gettimeofday)\b)"));
  add(complaints, places(file, file.code, R"(\b(clock_gettime|localtime|random_device)\b)"));
  add(complaints, places(file, file.code, R"((^|[^\w.>])(s?rand|time|sleep|usleep)\s*\()"));
  return complaints;
}

// A shell in between turns names and options of users into commands.
Complaints check_no_shell(const SourceFile& file) {
  return places(file, file.code, R"((^|[^\w.>])(system|popen)\s*\()");
}

// SQL is constant text; what users say is bound. Wrappers take `const char*`, so only c_str() could
// bring built text in.
Complaints check_sql(const SourceFile& file) {
  if (file.path.rfind("src/", 0) != 0) return {};
  // Puts a query together from constant conditions only; tests with hostile names hold it to that.
  if (file.path == "src/master/job_query.cpp") return {};
  Complaints complaints = places(file, file.code, R"(\bsqlite3_exec\s*\(\s*[^,]+,\s*[^"\s])");
  add(complaints,
      places(file, file.code,
             R"(\b(Statement\b[^;(]*|sqlite3_prepare\w*\s*)\([^;]*\.(c_str|data)\(\))"));
  add(complaints, places(file, file.code, R"((\.|->)run\s*\([^;]*(\.(c_str|data)\(\)|\+))"));
  // queue_check prints commands for a person to type; it runs none of them.
  if (file.path == "src/master/queue_check.cpp") return complaints;
  add(complaints,
      places(file, file.text,
             R"("[^"]*\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|WHERE|PRAGMA)\b[^"]*"\s*\+)"));
  add(complaints,
      places(file, file.text, R"(\+\s*"[^"]*\b(SELECT|INSERT INTO|DELETE FROM|WHERE|PRAGMA)\b)"));
  return complaints;
}

// Each foreign library has one home.
Complaints check_homes(const SourceFile& file) {
  static const std::vector<std::pair<std::string, std::vector<std::string>>> homes = {
      {"mpi.h",
       {"src/wire/", "src/master/programs/", "src/policy/learned/", "tests/", "bench/",
        "jobscripts/"}},
      {"sqlite3.h", {"src/master/", "tests/", "bench/"}},
      {"zlib.h", {"src/trace/", "tests/"}},
      {"hwloc.h", {"src/telemetry/", "tests/"}},
      {"papi.h", {"src/telemetry/", "tests/"}},
      {"munge.h", {"src/wire/munge_credential.cpp"}},
      {"openssl/",
       {"src/master/", "src/policy/learned/", "src/step/", "src/wire/login_proof.cpp", "tests/"}},
      {"torch/", {"src/policy/learned/", "jobscripts/"}},
      {"xgboost/", {"src/policy/boosting/"}},
  };
  Complaints complaints;
  for (const std::string& header : file.bracketed) {
    for (const auto& [name, folders] : homes) {
      if (header.rfind(name, 0) != 0) continue;
      const bool at_home = std::any_of(folders.begin(), folders.end(), [&](const auto& folder) {
        return file.path.rfind(folder, 0) == 0;
      });
      if (!at_home) complaints.push_back(file.path + " may not include <" + header + ">");
    }
  }
  return complaints;
}

Complaints check_everything(Complaints (*rule)(const SourceFile&)) {
  static const std::vector<SourceFile> files =
      source_files({"src", "tests", "bench", "jobscripts"});
  EXPECT_GT(files.size(), 100u) << "the sources were not found in " << HYADES_SOURCE_DIR;
  Complaints complaints;
  for (const SourceFile& file : files) add(complaints, rule(file));
  return complaints;
}

std::string joined(const Complaints& complaints) {
  std::string text;
  for (const std::string& complaint : complaints) text += "\n  " + complaint;
  return text;
}

bool notices(Complaints (*rule)(const SourceFile&), const std::string& path,
             const std::string& text) {
  return !rule(read_source(path, text)).empty();
}

TEST(Layering, EachPartKnowsOnlyWhatStandsBeforeIt) {
  EXPECT_EQ(joined(check_everything(check_layers)), "");
  EXPECT_TRUE(notices(check_layers, "src/core/a.cpp", "#include \"policy/b.hpp\"\n"));
  EXPECT_TRUE(notices(check_layers, "src/sim/a.cpp", "  #  include \"master/b.hpp\"\n"));
  EXPECT_TRUE(notices(check_layers, "src/worker/a.cpp", "#include \"policy/b.hpp\"\n"));
  EXPECT_TRUE(notices(check_layers, "src/step/a.cpp", "#include \"worker/b.hpp\"\n"));
  EXPECT_TRUE(notices(check_layers, "src/new/a.cpp", ""));
  EXPECT_FALSE(notices(check_layers, "src/master/a.cpp", "#include \"wire/b.hpp\"\n"));
}

TEST(Layering, WhatDecidesDoesNoIoAndReadsNoClock) {
  EXPECT_EQ(joined(check_everything(check_purity)), "");
  EXPECT_TRUE(notices(check_purity, "src/core/a.cpp", "#include <chrono>\n"));
  EXPECT_TRUE(notices(check_purity, "src/policy/a.cpp", "#include <fstream>\n"));
  EXPECT_TRUE(notices(check_purity, "src/core/a.cpp", "int x = rand();\n"));
  EXPECT_TRUE(notices(check_purity, "src/core/a.cpp", "auto t = ::time(nullptr);\n"));
  EXPECT_TRUE(notices(check_purity, "src/sim/a.cpp", "getenv(\"A\");\n"));
  EXPECT_FALSE(notices(check_purity, "src/core/a.cpp", "// rand() and getenv are not used\n"));
  EXPECT_FALSE(notices(check_purity, "src/core/a.cpp", "say(\"rand()\"); clock.time(1'000);\n"));
}

TEST(Layering, NobodyRunsAShell) {
  EXPECT_EQ(joined(check_everything(check_no_shell)), "");
  EXPECT_TRUE(notices(check_no_shell, "tests/a.cpp", "  system(command.c_str());\n"));
  EXPECT_TRUE(notices(check_no_shell, "src/cli/a.cpp", "FILE* f = std::popen (\"ls\", \"r\");\n"));
  EXPECT_FALSE(notices(check_no_shell, "src/cli/a.cpp", "say(\"its file system (full)\");\n"));
}

TEST(Layering, SqlIsNeverBuiltFromStrings) {
  EXPECT_EQ(joined(check_everything(check_sql)), "");
  const char* const path = "src/master/a.cpp";
  EXPECT_TRUE(notices(check_sql, path, "sqlite3_exec(db, sql, 0, 0, 0);\n"));
  EXPECT_TRUE(notices(check_sql, path, "sqlite3_prepare_v2(db, sql.c_str(), -1, &s, 0);\n"));
  EXPECT_TRUE(notices(check_sql, path, "Statement find(database, text.c_str());\n"));
  EXPECT_TRUE(notices(check_sql, path, "database.run((\"DROP \" + name).c_str());\n"));
  EXPECT_TRUE(notices(check_sql, path, "x = \"SELECT * FROM job WHERE name=\" + name;\n"));
  EXPECT_FALSE(notices(check_sql, path, "Statement find(database, \"SELECT 1\");\n"));
}

TEST(Layering, EveryForeignLibraryHasItsHome) {
  EXPECT_EQ(joined(check_everything(check_homes)), "");
  EXPECT_TRUE(notices(check_homes, "src/worker/a.cpp", "#include <mpi.h>\n"));
  EXPECT_TRUE(notices(check_homes, "src/master/a.cpp", "#include <torch/torch.h>\n"));
  EXPECT_TRUE(notices(check_homes, "src/cli/a.cpp", "#include <sqlite3.h>\n"));
}

}  // namespace
}  // namespace hyades
