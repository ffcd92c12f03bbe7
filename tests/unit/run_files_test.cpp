// The notes in <state directory>/run: whatever is in them, and however full the disk is.
#include "master/run_files.hpp"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <stdexcept>

#include "contract/queue_on_disk.hpp"
#include "wire/boot_id.hpp"

namespace hyades {
namespace {

class RunFilesTest : public testing::Test {
 protected:
  std::string path(const std::string& name) { return files_.directory() + "/" + name; }
  std::string fresh(const std::string& name) {
    return path(name) + ".new." + std::to_string(getpid());
  }
  // As when no new file can be made.
  void forbid_new(const std::string& name) { ASSERT_EQ(mkdir(fresh(name).c_str(), 0700), 0); }

  TemporaryDirectory temporary_;
  RunFiles files_{temporary_.path()};
};

TEST_F(RunFilesTest, NotesComeBack) {
  files_.write_rank({2, "vn2", own_identity()});
  files_.write_rank({0, "", {7, 8}});
  files_.write_world({{5, 6}, 2, "/etc/hyades.toml"});
  const std::vector<RankNote> ranks = files_.ranks();
  ASSERT_EQ(ranks.size(), 2u);
  EXPECT_EQ(ranks[0].process, (ProcessIdentity{7, 8}));
  EXPECT_EQ(ranks[1].rank, 2);
  EXPECT_EQ(ranks[1].node, "vn2");
  EXPECT_EQ(ranks[1].process, own_identity());
  ASSERT_TRUE(files_.world());
  EXPECT_EQ(files_.world()->mpirun, (ProcessIdentity{5, 6}));
  EXPECT_EQ(files_.world()->nodes, 2);
  EXPECT_EQ(files_.world()->config, "/etc/hyades.toml");
  files_.clear_ranks();
  files_.clear_world();
  EXPECT_TRUE(files_.ranks().empty());
  EXPECT_FALSE(files_.world());
}

TEST_F(RunFilesTest, NotesAboutHostsComeBack) {
  EXPECT_FALSE(files_.hosts());
  HostsNote note{.place = {"/p", "srsh", "/spool", "/shm", "hy", ""}, .hosts = {}};
  note.hosts.push_back({"n1", "10.0.0.1", "up", "", true, 0, "a/b/7"});
  note.hosts.push_back({"n2", "n2", "absent", "does not answer \xff", false, 12345});
  files_.write_hosts(note);
  const auto again = files_.hosts();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->place.environment(), note.place.environment());
  ASSERT_EQ(again->hosts.size(), 2u);
  EXPECT_TRUE(again->hosts[0].member);
  EXPECT_EQ(again->hosts[0].address, "10.0.0.1");
  EXPECT_EQ(again->hosts[0].machine, "a/b/7");
  EXPECT_EQ(again->hosts[1].machine, "");
  EXPECT_EQ(again->hosts[1].next_probe_ms, 12345);
  EXPECT_EQ(again->hosts[1].why.substr(0, 15), "does not answer");
  files_.clear_hosts();
  EXPECT_FALSE(files_.hosts());

  EXPECT_FALSE(files_.heard());
  files_.write_heard({"n1", "n2"});
  EXPECT_EQ(files_.heard(), (std::set<std::string>{"n1", "n2"}));
  files_.clear_heard();
  EXPECT_FALSE(files_.heard());
}

TEST_F(RunFilesTest, AWishIsTakenOnce) {
  EXPECT_FALSE(files_.take_rejoin());
  files_.write_rejoin({"one", {"n1", "n2"}});
  const auto wish = files_.take_rejoin();
  ASSERT_TRUE(wish);
  EXPECT_EQ(wish->id, "one");
  EXPECT_EQ(wish->nodes, (std::vector<std::string>{"n1", "n2"}));
  EXPECT_FALSE(files_.take_rejoin());
  files_.write_rejoin_answer("one", "done");
  EXPECT_EQ(files_.rejoin_answer("one"), "done");
  EXPECT_FALSE(files_.rejoin_answer("two"));
}

TEST_F(RunFilesTest, NotesThatCannotBeUnderstoodAreAbsent) {
  files_.write_rank({0, "", {7, 8}});
  files_.write_world({{5, 6}, 2, ""});
  for (const auto& [name, keys] :
       {std::pair{"rank.0", std::vector<std::string>{"boot", "pid", "start_ticks", "rank", "node"}},
        std::pair{"world",
                  std::vector<std::string>{"boot", "pid", "start_ticks", "nodes", "config"}}}) {
    const std::string good = read_bytes(path(name));
    std::vector<std::string> bad = {"", "{", "[]", "3", "null", "\"text\"", std::string(9, '\0')};
    for (const std::string& key : keys) {
      const std::string quoted = "\"" + key + "\":";
      const std::size_t at = good.find(quoted) + quoted.size();
      const std::size_t end = good.find_first_of(",}", at);
      for (const char* value : {"[1]", "-1", "null", "{}", "1.5", "1e99", "true"}) {
        bad.push_back(good.substr(0, at) + value + good.substr(end));
      }
    }
    for (const std::string& note : bad) {
      write_bytes(path(name), note);
      EXPECT_TRUE(files_.ranks().empty() || !files_.world()) << name << ": " << note;
    }
    write_bytes(path(name), good);
    EXPECT_EQ(files_.ranks().size(), 1u);
    EXPECT_TRUE(files_.world());
  }
}

// After a power cut another process may have the number, and even have started at the same tick.
TEST_F(RunFilesTest, NotesOfAnEarlierBootAreAbsent) {
  files_.write_rank({0, "", own_identity()});
  files_.write_world({own_identity(), 2, ""});
  for (const char* name : {"rank.0", "world"}) {
    std::string note = read_bytes(path(name));
    const std::size_t at = note.find(current_boot_id());
    ASSERT_NE(at, std::string::npos);
    note[at] = note[at] == '0' ? '1' : '0';
    write_bytes(path(name), note);
  }
  EXPECT_TRUE(files_.ranks().empty());
  EXPECT_FALSE(files_.world());
}

TEST_F(RunFilesTest, RubbishIsClearedAway) {
  write_bytes(path("rank.1"), "{\"pid\": \"x\"}");
  write_bytes(path("rank.0.new.12"), "half of a no");
  files_.clear_ranks();
  EXPECT_EQ(read_bytes(path("rank.1")).substr(0, 2), "{}");
  EXPECT_FALSE(std::filesystem::exists(path("rank.0.new.12")));
}

TEST_F(RunFilesTest, ReservedNotesNeedNoNewFile) {
  files_.reserve(1);
  EXPECT_TRUE(files_.ranks().empty());
  EXPECT_FALSE(files_.world());
  const auto size = std::filesystem::file_size(path("rank.1"));
  for (const char* name : {"world", "rank.0", "rank.1"}) forbid_new(name);
  const std::string node(63, 'n');
  for (const int pid : {1234567, 5}) {
    files_.write_rank({1, node, {pid, 123456789012345}});
    files_.write_world({{pid, 9}, 1, "/a"});
    ASSERT_EQ(files_.ranks().size(), 1u);
    EXPECT_EQ(files_.ranks()[0].process.pid, pid);
    ASSERT_TRUE(files_.world());
    EXPECT_EQ(files_.world()->mpirun.pid, pid);
    files_.clear_world();
    EXPECT_FALSE(files_.world());
  }
  EXPECT_EQ(std::filesystem::file_size(path("rank.1")), size);
  rmdir(fresh("rank.1").c_str());
  files_.clear_ranks();
  EXPECT_TRUE(files_.ranks().empty());
  EXPECT_EQ(std::filesystem::file_size(path("rank.1")), size) << "its space was given away";
}

TEST_F(RunFilesTest, AFailedWriteSaysSoAndLeavesNothing) {
  const int status = in_child([&] {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit nothing{0, 0};
    if (setrlimit(RLIMIT_FSIZE, &nothing) != 0) return 2;
    try {
      files_.write_rank({1, "vn1", {7, 8}});
    } catch (const std::runtime_error& error) {
      return std::string(error.what()).find("cannot write " + path("rank.1")) == 0 ? 0 : 3;
    }
    return 1;
  });
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(std::filesystem::is_empty(files_.directory()));
}

}  // namespace
}  // namespace hyades
