// What the commands print: tables that fit, text that cannot harm a terminal, JSON that is JSON.
#include <gtest/gtest.h>

#include "cli/begin_time.hpp"
#include "cli/command.hpp"
#include "cli/job_columns.hpp"
#include "cli/job_page.hpp"
#include "cli/job_words.hpp"
#include "cli/json_output.hpp"
#include "cli/node_columns.hpp"
#include "cli/printable.hpp"
#include "cli/state_directory.hpp"
#include "cli/table.hpp"
#include "cli/times.hpp"
#include "core/job_spec.hpp"

namespace hyades {
namespace {

const std::string kHostile[] = {
    "\x1b[2J\x1b]0;owned\x07",
    "line\n2026-01-01 root login\r\t",
    "\xff\xfe\x80 invalid",
    "\xc0\xaf over-long",
    "\xed\xa0\x80 surrogate",
    "\xe2\x80\xae reversed",
    "\xc2\x9b"
    "31m C1",
    std::string("nul\0nul", 7),
    "\"quotes\" \\ back\\slash",
    std::string(1 << 20, 'x'),
    std::string(1 << 20, '\x1b'),
    "\xe6\xbc\xa2\xe5\xad\x97 \xf0\x9f\x9a\x80",
    "'; DROP TABLE jobs;--",
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

pb::JobInfo job(std::uint64_t id, const std::string& name, const std::string& state,
                const std::string& code) {
  pb::JobInfo info;
  info.set_id(id);
  info.set_name(name);
  info.set_user("ann");
  info.set_queue("batch");
  info.set_state(state);
  info.set_state_code(code);
  info.set_node_count(2);
  info.set_submit_ms(1'000'000'000'000);
  return info;
}

// ---- text --------------------------------------------------------------------------------------

TEST(Printable, EscapesWhatMovesOrHides) {
  EXPECT_EQ(escape_text("plain \xc3\xa9\xe6\xbc\xa2"), "plain \xc3\xa9\xe6\xbc\xa2");
  EXPECT_EQ(escape_text("a\nb\tc\rd"), "a\\nb\\tc\\rd");
  EXPECT_EQ(escape_text("\x1b[31m\x07\x7f"), "\\x1b[31m\\x07\\x7f");
  EXPECT_EQ(escape_text(std::string("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(escape_text("\xff\xc0\xaf"), "\\xff\\xc0\\xaf");
  EXPECT_EQ(escape_text("\xe2\x80\xae"), "\\u{202e}");
  EXPECT_EQ(escape_text("\xc2\x9b"), "\\u{9b}");
  EXPECT_EQ(escape_text("\xed\xa0\x80"), "\\xed\\xa0\\x80");
  EXPECT_EQ(escape_text("\xe2\x82"), "\\xe2\\x82");
}

TEST(Printable, EscapedTextIsAlwaysPrintable) {
  for (const std::string& text : kHostile) {
    EXPECT_TRUE(is_printable_utf8(escape_text(text)));
    EXPECT_EQ(escape_text(text).find('\n'), std::string::npos);
  }
}

TEST(Printable, WidthsCountColumnsNotBytes) {
  EXPECT_EQ(display_width("abc"), 3);
  EXPECT_EQ(display_width("\xc3\xa9"), 1);
  EXPECT_EQ(display_width("\xe6\xbc\xa2\xe5\xad\x97"), 4);
  EXPECT_EQ(display_width("e\xcc\x81"), 1);
  EXPECT_EQ(display_width(""), 0);
}

TEST(Printable, CutsWholeCharacters) {
  EXPECT_EQ(cut_text("abcdef", 6, "~"), "abcdef");
  EXPECT_EQ(cut_text("abcdef", 4, "~"), "abc~");
  EXPECT_EQ(cut_text("\xe6\xbc\xa2\xe5\xad\x97", 3, "~"), "\xe6\xbc\xa2~");
  EXPECT_EQ(cut_text("\xe6\xbc\xa2\xe5\xad\x97", 2, "~"), "~");
  EXPECT_EQ(cut_text("abc", 0, "~"), "");
  EXPECT_EQ(cut_text("abc", 2, "\xe2\x80\xa6"), "a\xe2\x80\xa6");
}

TEST(Printable, ShellQuotesOnlyWhereNeeded) {
  EXPECT_EQ(shell_quote("--time=10"), "--time=10");
  EXPECT_EQ(shell_quote("a b"), "'a b'");
  EXPECT_EQ(shell_quote("it's"), "'it'\\''s'");
  EXPECT_EQ(shell_quote(""), "''");
}

// ---- tables ------------------------------------------------------------------------------------

TEST(Tables, AlignAndLeaveNoBlanksAtTheEnd) {
  Table table({{"ID", true}, {"NAME", false, 4}, {"N", true}, {"WHERE"}});
  table.add({"7", "short", "1", "vn1"});
  table.add({"1234", "a longer name", "22", ""});
  EXPECT_EQ(table.render({}),
            "  ID NAME           N WHERE\n"
            "   7 short          1 vn1\n"
            "1234 a longer name 22\n");
  EXPECT_EQ(table.render({}, false),
            "   7 short          1 vn1\n"
            "1234 a longer name 22\n");
}

TEST(Tables, FitATerminalAndOnlyATerminal) {
  Table table({{"ID", true}, {"NAME", false, 4}, {"WHERE", false, 5}});
  table.add({"7", std::string(50, 'n'), std::string(30, 'w')});
  Terminal terminal{.columns = 40, .colour = false, .utf8 = true};
  for (const std::string& line : lines_of(table.render(terminal))) {
    EXPECT_LE(display_width(line), 40) << line;
  }
  EXPECT_NE(table.render(terminal).find("\u2026"), std::string::npos);
  terminal.utf8 = false;
  EXPECT_NE(table.render(terminal).find("n~"), std::string::npos);
  EXPECT_NE(table.render({}).find(std::string(50, 'n')), std::string::npos);
  // Narrower than anything allows: nothing is cut below its smallest width, nothing breaks.
  terminal.columns = 5;
  EXPECT_NE(table.render(terminal).find("nnn~"), std::string::npos);
}

TEST(Tables, ColourOnlyOnRequest) {
  Table table({{"ST"}});
  table.add({{"R", Colour::Green}});
  EXPECT_EQ(table.render({.columns = 80, .colour = false}), "ST\nR\n");
  EXPECT_EQ(table.render({.columns = 80, .colour = true}), "ST\n\x1b[32mR\x1b[0m\n");
}

TEST(Tables, OneRowIsOneLineWhateverItHolds) {
  for (const std::string& text : kHostile) {
    const JobList jobs{job(1, text, "RUNNING", "R"), job(2, text, "PENDING", "PD")};
    for (const int columns : {0, 80}) {
      const Terminal terminal{.columns = columns, .colour = false, .utf8 = true};
      const auto lines = lines_of(queue_table(jobs, QueueColumns::Normal, 0).render(terminal));
      ASSERT_EQ(lines.size(), 3u);
      for (const std::string& line : lines) {
        EXPECT_TRUE(is_printable_utf8(line));
        if (columns > 0) {
          EXPECT_LE(display_width(line), columns);
        }
      }
    }
    EXPECT_EQ(lines_of(history_lines(jobs, 0, true)).size(), 3u);
  }
}

TEST(QueueTable, HasSqueuesColumns) {
  pb::JobInfo running = job(42, "train", "RUNNING", "R");
  running.set_start_ms(1'000'000'000'000);
  running.set_node_names("vn1,vn2");
  pb::JobInfo pending = job(43, "next", "PENDING", "PD");
  pending.set_reason("Resources");
  pending.set_start_ms(5);  // of an earlier attempt
  const WallMs now_ms = 1'000'000'000'000 + 3'725'000;
  EXPECT_EQ(queue_table({running, pending}, QueueColumns::Normal, now_ms).render({}),
            "JOBID QUEUE NAME  USER ST    TIME NODES NODELIST(REASON)\n"
            "   42 batch train ann  R  1:02:05     2 vn[1-2]\n"
            "   43 batch next  ann  PD    0:00     2 (Resources)\n");
  pb::JobInfo unlaunched = job(44, "bad", "LAUNCH_FAILED", "LF");
  unlaunched.set_node_names("vn1");
  unlaunched.set_reason("no such directory");
  EXPECT_NE(queue_table({unlaunched}, QueueColumns::Normal, now_ms)
                .render({})
                .find(" (no such directory)\n"),
            std::string::npos);
  running.set_time_limit_s(86'400);
  const std::string wide = queue_table({running}, QueueColumns::Long, now_ms).render({});
  EXPECT_NE(wide.find("STATE      TIME TIME_LIMIT START"), std::string::npos) << wide;
  EXPECT_NE(wide.find("RUNNING 1:02:05 1-00:00:00 "), std::string::npos) << wide;
  EXPECT_NE(queue_table({pending}, QueueColumns::Starts, now_ms).render({}).find("N/A"),
            std::string::npos);
}

TEST(HistoryTable, HasSacctsColumns) {
  pb::JobInfo failed = job(7, "train", "FAILED", "F");
  failed.set_start_ms(1'000'000'000'000);
  failed.set_end_ms(1'000'000'065'000);
  failed.set_exit_code(3);
  failed.set_cores(8);
  const std::string text = history_lines({failed}, 0, true);
  EXPECT_EQ(text.substr(0, text.find('\n')),
            "JobID|JobName|Queue|User|AllocCPUS|State|ExitCode|Elapsed|Start|End|MaxRSS|NodeList|"
            "Reason");
  EXPECT_NE(text.find("7|train|batch|ann|8|FAILED|3:0|1:05|"), std::string::npos) << text;
  failed.set_name("a|b");
  EXPECT_NE(history_lines({failed}, 0, false).find("7|a_b|batch|"), std::string::npos);
  const pb::JobInfo waiting = job(8, "w", "PENDING", "PD");
  EXPECT_NE(history_lines({waiting}, 0, false).find("|0:0|0:00|Unknown|Unknown"),
            std::string::npos);
  failed.set_node_names("vn1,vn2");
  failed.mutable_usage()->set_max_rss_kib(2049);
  failed.set_reason("exit code 3");
  EXPECT_NE(history_lines({failed}, 0, false).find("|3M|vn[1-2]|exit code 3\n"), std::string::npos);
}

// What matters at night is there on any terminal; the rest as far as it has room.
TEST(HistoryTable, LeavesOutWhatHasNoRoom) {
  pb::JobInfo failed = job(1234567, "a-rather-long-name", "LAUNCH_FAILED", "LF");
  failed.set_start_ms(1'000'000'000'000);
  failed.set_end_ms(1'000'000'065'000);
  failed.set_node_names("node01,node02,node07");
  failed.set_reason("cannot open /scratch/ann/output.txt: No such file or directory");
  failed.mutable_usage()->set_max_rss_kib(123 << 10);
  const auto title = [&](int columns) {
    const auto lines = lines_of(history_table({failed}, 0).render({.columns = columns}));
    for (const std::string& line : lines) {
      EXPECT_LE(display_width(line), columns == 0 ? 1000 : columns) << line;
    }
    return " " + lines[0] + " ";
  };
  for (const int columns : {80, 100, 120, 160, 0}) {
    for (const char* wanted : {" JobID ", " User ", " State ", " End ", " NodeList ", " Reason "}) {
      EXPECT_NE(title(columns).find(wanted), std::string::npos) << columns << wanted;
    }
  }
  EXPECT_NE(title(120).find(" MaxRSS "), std::string::npos) << title(120);
  EXPECT_NE(title(120).find(" Elapsed "), std::string::npos) << title(120);
  EXPECT_EQ(title(120).find(" AllocCPUS "), std::string::npos) << title(120);
  EXPECT_NE(title(0).find(" AllocCPUS "), std::string::npos);
  EXPECT_NE(title(0).find(" Start "), std::string::npos);
}

TEST(QueueTable, SaysInFullWhyAJobWaits) {
  pb::JobInfo held = job(9, "x", "PENDING", "PD");
  held.set_reason("JobHeldAdmin");
  held.set_last_reason("vn1: no such directory");
  const auto table = [&](QueueColumns view, bool in_full) {
    return queue_table({held}, view, 0, in_full).render({});
  };
  EXPECT_NE(table(QueueColumns::Normal, false).find(" (JobHeldAdmin)\n"), std::string::npos);
  const std::string full = " (JobHeldAdmin: vn1: no such directory)\n";
  EXPECT_NE(table(QueueColumns::Normal, true).find(full), std::string::npos);
  EXPECT_NE(table(QueueColumns::Long, false).find(full), std::string::npos);
  EXPECT_NE(history_lines({held}, 0, false).find("|JobHeldAdmin: vn1: no such directory\n"),
            std::string::npos);
}

TEST(JobOrder, SortsByKeys) {
  JobList jobs{job(3, "b", "RUNNING", "R"), job(1, "a", "PENDING", "PD"),
               job(2, "b", "PENDING", "PD")};
  const auto ids = [&] {
    std::vector<std::uint64_t> out;
    for (const auto& info : jobs) out.push_back(info.id());
    return out;
  };
  ASSERT_TRUE(sort_jobs(jobs, "id", 0));
  EXPECT_EQ(ids(), (std::vector<std::uint64_t>{1, 2, 3}));
  ASSERT_TRUE(sort_jobs(jobs, "-name,-id", 0));
  EXPECT_EQ(ids(), (std::vector<std::uint64_t>{3, 2, 1}));
  ASSERT_TRUE(sort_jobs(jobs, "state,id", 0));
  EXPECT_EQ(ids(), (std::vector<std::uint64_t>{1, 2, 3}));
  EXPECT_FALSE(sort_jobs(jobs, "colour", 0));
}

TEST(NodeTables, GroupByQueueAndState) {
  pb::QueueInfo batch;
  batch.set_name("batch");
  batch.set_is_default(true);
  batch.set_enabled(true);
  pb::QueueInfo empty;
  empty.set_name("gpu");
  empty.set_max_time_s(3600);
  NodeList nodes;
  for (const char* name : {"vn1", "vn2", "vn3"}) {
    pb::NodeInfo node;
    node.set_name(name);
    node.set_state("idle");
    node.set_responding(true);
    node.add_queues("batch");
    nodes.push_back(node);
  }
  nodes[2].set_responding(false);
  nodes[2].set_state("down");
  nodes[2].set_reason("bad\nmemory");
  nodes[2].set_drained_by("root");
  nodes[2].set_drained_ms(1);
  EXPECT_EQ(queue_summary({batch, empty}, nodes).render({}),
            "QUEUE  AVAIL    TIMELIMIT NODES STATE NODELIST\n"
            "batch* up        infinite     1 down* vn3\n"
            "batch* up        infinite     2 idle  vn[1-2]\n"
            "gpu    inactive   1:00:00     0 n/a\n");
  const std::string drained = drain_table(nodes).render({});
  EXPECT_NE(drained.find("bad\\nmemory root"), std::string::npos) << drained;
  EXPECT_EQ(lines_of(drained).size(), 3u);  // vn3 is also down
  EXPECT_EQ(lines_of(drained)[1], "            -    N/A                 vn3");
  EXPECT_EQ(lines_of(node_table(nodes).render({})).size(), 4u);
  batch.set_lease_s(90);
  const std::string limits = queue_limits({batch, empty}).render({});
  EXPECT_EQ(lines_of(limits).size(), 3u);
  EXPECT_NE(limits.find(" 1:30 "), std::string::npos) << limits;
  EXPECT_EQ(queue_json(batch)["lease_s"], 90);
}

TEST(NodeTables, NodesThatAreDownSayWhyAndSinceWhen) {
  NodeList nodes;
  for (const char* name : {"n1", "n2", "n3"}) {
    pb::NodeInfo node;
    node.set_name(name);
    node.set_state("down");
    node.set_last_heard_ms(1'000'000'000'000);
    node.set_down_reason("does not respond");
    nodes.push_back(node);
  }
  nodes[0].set_last_heard_ms(1'000'000'000'999);  // the same second
  nodes[2].set_responding(true);
  nodes[2].clear_down_reason();
  const auto lines = lines_of(drain_table(nodes).render({}));
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[1], "does not respond -    " + local_time(1'000'000'000'000) + " n[1-2]");
  EXPECT_EQ(node_json(nodes[1])["last_heard_time"], "2001-09-09T01:46:40.000Z");
  EXPECT_EQ(node_json(nodes[1])["down_reason"], "does not respond");
}

TEST(Health, NamesAllThatIsWrong) {
  pb::StatusInfo status;
  EXPECT_EQ(warnings_of(status), std::vector<std::string>());
  EXPECT_TRUE(status_json(status)["degraded"].is_null());
  EXPECT_EQ(status_json(status)["healthy"], true);
  for (const char* name : {"n7", "n3", "n4"}) status.add_silent_nodes(name);
  status.add_unknown_jobs(7);
  status.set_degraded("no space");
  const std::vector<std::string> warnings = warnings_of(status);
  ASSERT_EQ(warnings.size(), 3u);
  EXPECT_EQ(warnings[0], "no space");
  EXPECT_EQ(warnings[1].find("3 nodes do not respond: n["), 0u) << warnings[1];
  EXPECT_EQ(warnings[2].find("1 job is UNKNOWN"), 0u) << warnings[2];
  EXPECT_EQ(status_json(status)["healthy"], false);
  EXPECT_EQ(status_json(status)["degraded"], "no space");
}

// ---- JSON --------------------------------------------------------------------------------------

TEST(Json, IsValidWhateverTheStringsHold) {
  for (const std::string& text : kHostile) {
    pb::JobInfo info = job(1, text, "FAILED", "F");
    info.set_reason(text);
    info.set_working_directory(text);
    info.set_command_line(text);
    info.set_node_names(text);
    const std::string out = json_text({{"jobs", {job_json(info)}}});
    const Json back = Json::parse(out, nullptr, false);
    ASSERT_FALSE(back.is_discarded());
    for (const unsigned char c : out) {
      ASSERT_TRUE(c == '\n' || (c >= 0x20 && c < 0x80)) << int(c);
    }
    if (is_printable_utf8(text)) {
      EXPECT_EQ(back["jobs"][0]["name"], text);
    }
  }
}

TEST(Json, JobHasThePromisedKeys) {
  pb::JobInfo info = job(42, "train", "COMPLETED", "CD");
  info.set_node_names("vn1,vn2");
  info.set_start_ms(1'893'456'000'250);
  info.set_end_ms(1'893'456'001'000);
  Json out = job_json(info);
  EXPECT_EQ(out["id"], 42);
  EXPECT_EQ(out["state"], "COMPLETED");
  EXPECT_EQ(out["exit_code"], 0);
  EXPECT_EQ(out["queue"], "batch");
  EXPECT_EQ(out["user"], "ann");
  EXPECT_EQ(out["nodes"], (std::vector<std::string>{"vn1", "vn2"}));
  EXPECT_EQ(out["submit_time"], "2001-09-09T01:46:40.000Z");
  EXPECT_EQ(out["start_time"], "2030-01-01T00:00:00.250Z");
  EXPECT_EQ(out["end_time"], "2030-01-01T00:00:01.000Z");
  EXPECT_EQ(out["reason"], "");
  info = job(43, "next", "PENDING", "PD");
  info.set_start_ms(5);
  out = job_json(info);
  EXPECT_TRUE(out["exit_code"].is_null());
  EXPECT_TRUE(out["start_time"].is_null());
  EXPECT_TRUE(out["end_time"].is_null());
  EXPECT_EQ(out["nodes"], Json::array());
}

TEST(Json, AJobThatNeverExitedHasNoExitCode) {
  const auto exit_code = [](const char* state, WallMs start_ms, int code, int signal) {
    pb::JobInfo info = job(1, "x", state, "");
    info.set_start_ms(start_ms);
    info.set_exit_code(code);
    info.set_exit_signal(signal);
    return job_json(info)["exit_code"];
  };
  for (const char* state : {"LAUNCH_FAILED", "NODE_FAIL"}) {
    EXPECT_TRUE(exit_code(state, 5, 0, 0).is_null()) << state;
  }
  EXPECT_TRUE(exit_code("CANCELLED", 0, 0, 0).is_null());
  EXPECT_EQ(exit_code("CANCELLED", 5, 0, 0), 0);  // its trap ended it well
  EXPECT_EQ(exit_code("CANCELLED", 5, 0, 15), 0);
  EXPECT_EQ(exit_code("TIMEOUT", 5, 0, 0), 0);
  EXPECT_EQ(exit_code("NODE_FAIL", 5, 3, 0), 3);
}

TEST(EventTable, NamesNodesAndCores) {
  pb::EventInfo event;
  event.set_kind("assigned");
  event.set_detail(
      R"({"attempt":1,"shares":"[{\"node\":\"vn1\",\"cores\":\"0-3\",\"boot\":\"b\"},{\"node\":\"vn2\"}]"})");
  const std::string text = event_table({event}).render({});
  EXPECT_NE(text.find("shares='vn1:0-3 vn2'"), std::string::npos) << text;
  for (const char* shares : {"7", "[7]", "[", R"([{\"node\":7}])"}) {
    event.set_detail(std::string(R"({"shares":")") + shares + "\"}");
    EXPECT_EQ(lines_of(event_table({event}).render({})).size(), 2u);
  }
}

TEST(Json, EventDetailIsAnObjectOrText) {
  pb::EventInfo event;
  event.set_kind("ended");
  event.set_detail(R"({"outcome":"COMPLETED"})");
  EXPECT_EQ(event_json(event)["detail"]["outcome"], "COMPLETED");
  event.set_detail("not json {");
  EXPECT_EQ(event_json(event)["detail"], "not json {");
  EXPECT_EQ(lines_of(event_table({event}).render({})).size(), 2u);
}

TEST(Pages, HaveOneLineForEachFact) {
  for (const std::string& text : kHostile) {
    pb::JobInfo info = job(1, text, "FAILED", "F");
    info.set_comment(text);
    EXPECT_EQ(lines_of(job_page(info)).size(), job_json(info).size());
  }
}

// ---- words and times ---------------------------------------------------------------------------

TEST(ExitCodes, AreTheJobs) {
  pb::JobInfo info = job(1, "x", "COMPLETED", "CD");
  EXPECT_EQ(exit_code_for(info), 0);
  info.set_state("FAILED");
  info.set_exit_code(3);
  EXPECT_EQ(exit_code_for(info), 3);
  EXPECT_EQ(exit_text(info), "3:0");
  info.set_exit_code(256);
  EXPECT_EQ(exit_code_for(info), 1);
  info.set_exit_code(0);
  info.set_exit_signal(9);
  EXPECT_EQ(exit_code_for(info), 137);
  info.set_exit_signal(0);
  for (const char* state : {"CANCELLED", "TIMEOUT", "NODE_FAIL", "LAUNCH_FAILED"}) {
    info.set_state(state);
    EXPECT_EQ(exit_code_for(info), 1) << state;
    EXPECT_TRUE(has_ended(info)) << state;
  }
  for (const char* state : {"PENDING", "LAUNCHING", "RUNNING", "UNKNOWN"}) {
    info.set_state(state);
    EXPECT_FALSE(has_ended(info)) << state;
  }
}

TEST(States, AreKnownByNameAndCode) {
  EXPECT_EQ(state_word("pd"), "PENDING");
  EXPECT_EQ(state_word("R"), "RUNNING");
  EXPECT_EQ(state_word("completed"), "COMPLETED");
  EXPECT_EQ(state_word("CF"), "LAUNCHING");
  EXPECT_EQ(state_word("NF"), "NODE_FAIL");
  EXPECT_EQ(state_word("TO"), "TIMEOUT");
  EXPECT_EQ(state_word("XX"), "");
}

TEST(JobIds, ListsAndRanges) {
  std::vector<std::uint64_t> ids;
  ASSERT_TRUE(parse_job_ids("12,14-16", ids));
  EXPECT_EQ(ids, (std::vector<std::uint64_t>{12, 14, 15, 16}));
  for (const char* bad :
       {"", "0", "x", "-3", "3-", "5-3", "1-99999", "1_2", "1.0", "99999999999999999999"}) {
    EXPECT_FALSE(parse_job_ids(bad, ids)) << bad;
  }
}

TEST(Messages, NameTheirSubjectOnce) {
  EXPECT_EQ(with_subject("job 4", "job 4 has ended"), "job 4 has ended");
  EXPECT_EQ(with_subject("job 4", "there is no job 4"), "there is no job 4");
  EXPECT_EQ(with_subject("job 4", "job 42 has ended"), "job 4: job 42 has ended");
  EXPECT_EQ(with_subject("node n1", "busy"), "node n1: busy");
}

TEST(Waits, BareNumbersAreSeconds) {
  int ms = 0;
  ASSERT_TRUE(parse_wait_ms("30", ms));
  EXPECT_EQ(ms, 30'000);
  ASSERT_TRUE(parse_wait_ms("5s", ms));
  EXPECT_EQ(ms, 5'000);
  ASSERT_TRUE(parse_wait_ms("1:30", ms));
  EXPECT_EQ(ms, 90'000);
  ASSERT_TRUE(parse_wait_ms("0", ms));
  EXPECT_EQ(ms, 0);
  EXPECT_FALSE(parse_wait_ms("-1", ms));
  EXPECT_FALSE(parse_wait_ms("soon", ms));
}

TEST(Times, PrintInUtcAndLocal) {
  EXPECT_EQ(utc_time(0), "");
  EXPECT_EQ(utc_time(1'893'456'000'007), "2030-01-01T00:00:00.007Z");
  EXPECT_EQ(local_time(0), "N/A");
}

class InTimeZone : public testing::Test {
 protected:
  void SetUp() override { use("UTC"); }
  void TearDown() override { use(nullptr); }
  static void use(const char* zone) {
    if (zone == nullptr) {
      unsetenv("TZ");
    } else {
      setenv("TZ", zone, 1);
    }
    tzset();
  }
  // 2030-01-31T12:00:00Z, a Thursday.
  static constexpr WallMs kNoon = 1'896'091'200'000;

  static std::string read(const std::string& text, bool future = true) {
    WallMs at_ms = 0;
    const std::string bad = parse_point_in_time(text, kNoon, future, at_ms);
    return bad.empty() ? utc_time(at_ms) : bad.substr(0, 10);
  }
};

TEST_F(InTimeZone, PointsInTime) {
  EXPECT_EQ(read("now"), "2030-01-31T12:00:00.000Z");
  EXPECT_EQ(read("now+1hour"), "2030-01-31T13:00:00.000Z");
  EXPECT_EQ(read("now+90"), "2030-01-31T12:01:30.000Z");
  EXPECT_EQ(read("now+2days"), "2030-02-02T12:00:00.000Z");
  EXPECT_EQ(read("now-1week"), "2030-01-24T12:00:00.000Z");
  EXPECT_EQ(read("16:00"), "2030-01-31T16:00:00.000Z");
  EXPECT_EQ(read("08:00"), "2030-02-01T08:00:00.000Z");
  EXPECT_EQ(read("08:00", false), "2030-01-31T08:00:00.000Z");
  EXPECT_EQ(read("4:30pm"), "2030-01-31T16:30:00.000Z");
  EXPECT_EQ(read("12:15AM"), "2030-02-01T00:15:00.000Z");
  EXPECT_EQ(read("teatime"), "2030-01-31T16:00:00.000Z");
  EXPECT_EQ(read("midnight"), "2030-02-01T00:00:00.000Z");
  EXPECT_EQ(read("today"), "2030-01-31T00:00:00.000Z");
  EXPECT_EQ(read("tomorrow"), "2030-02-01T00:00:00.000Z");
  EXPECT_EQ(read("2030-01-20"), "2030-01-20T00:00:00.000Z");
  EXPECT_EQ(read("2030-01-20T12:34:00"), "2030-01-20T12:34:00.000Z");
  EXPECT_EQ(read("2030-01-20T12:34"), "2030-01-20T12:34:00.000Z");
  EXPECT_EQ(read("01/20/30"), "2030-01-20T00:00:00.000Z");
  EXPECT_EQ(read("01/20/2030"), "2030-01-20T00:00:00.000Z");
  EXPECT_EQ(read("012030"), "2030-01-20T00:00:00.000Z");
}

TEST_F(InTimeZone, LocalUnlessItSaysUtc) {
  use("CET-1");
  EXPECT_EQ(read("2030-01-20T12:34:00"), "2030-01-20T11:34:00.000Z");
  EXPECT_EQ(read("2030-01-20T12:34:00Z"), "2030-01-20T12:34:00.000Z");
  EXPECT_EQ(local_time(kNoon), "2030-01-31T13:00:00");
}

TEST_F(InTimeZone, NonsenseIsRefused) {
  for (const char* bad : {"",
                          "soon",
                          "25:00",
                          "12:60",
                          "13:00pm",
                          "0:30pm",
                          "2030-13-01",
                          "2030-02-29",
                          "2030-01-20T",
                          "2030-01-20T25:00",
                          "now+",
                          "now+x",
                          "now+1fortnight",
                          "now 1",
                          "+1hour",
                          "12:00 ",
                          " 12:00",
                          "-1:00",
                          "99999999999",
                          "now+99999999999hours",
                          "1:2:3:4",
                          "2030-01-20 12:00"}) {
    EXPECT_EQ(read(bad), "not a time") << bad;
  }
  EXPECT_EQ(read(std::string(1 << 20, '1')), "not a time");
  EXPECT_EQ(read("2028-02-29"), "2028-02-29T00:00:00.000Z");
}

// ---- where the cluster is
// ------------------------------------------------------------------------

TEST(StateDirectoryRule, OptionThenVariableThenUser) {
  StateDirectorySources sources{.option = "",
                                .hyades_dir = "",
                                .xdg_state = "",
                                .home = "/home/ann",
                                .current = "/data/here"};
  EXPECT_EQ(choose_state_directory(sources), "/home/ann/.local/state/hyades");
  sources.xdg_state = "relative";
  EXPECT_EQ(choose_state_directory(sources), "/home/ann/.local/state/hyades");
  sources.xdg_state = "/xdg";
  EXPECT_EQ(choose_state_directory(sources), "/xdg/hyades");
  sources.hyades_dir = "/var/lib/hyades/";
  EXPECT_EQ(choose_state_directory(sources), "/var/lib/hyades");
  sources.option = "../d";
  EXPECT_EQ(choose_state_directory(sources), "/data/d");
  EXPECT_EQ(choose_state_directory({}), "");
}

}  // namespace
}  // namespace hyades
