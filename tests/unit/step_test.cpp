// The parts of steps that need no process: the step file, layouts, frames and messages, lines,
// environments.
#include <gtest/gtest.h>

#include <cstring>

#include "step/line_merger.hpp"
#include "step/mpi_variables.hpp"
#include "step/step_auth.hpp"
#include "step/step_file.hpp"
#include "step/step_frame.hpp"
#include "step/step_layout.hpp"
#include "step/step_message.hpp"
#include "step/task_environment.hpp"
#include "step_samples.hpp"

namespace hyades {
namespace {

// ---- The step file ------------------------------------------------------------------------------

TEST(StepFile, IsReadAsItWasWritten) {
  const StepFile file = samples::step_file();
  EXPECT_EQ(encode(file),
            "hyades-steps 1\nlaunch 42.2.77\nkey 00112233445566778899aabbccddeeff\n"
            "node vn1 127.0.0.1 0 2 4\nnode vn2 10.0.0.2 40001 2 4\nnode vn3 fd00::3 40002 1 2\n"
            "end 3\n");
  StepFile copy;
  std::string error;
  ASSERT_TRUE(parse_step_file(encode(file), copy, error)) << error;
  EXPECT_EQ(copy, file);
  EXPECT_EQ(copy.tasks(), 5);
}

TEST(StepFile, WithoutAnAddressANodeIsReachedByItsName) {
  StepFile file = samples::step_file();
  file.nodes[1].address.clear();
  EXPECT_NE(encode(file).find("node vn2 vn2 40001 2 4\n"), std::string::npos);
}

TEST(StepFile, RefusesEveryBeginningOfItself) {
  const std::string text = encode(samples::step_file());
  for (std::size_t size = 0; size < text.size(); ++size) {
    StepFile file;
    std::string error;
    EXPECT_FALSE(parse_step_file(text.substr(0, size), file, error)) << size;
    EXPECT_NE(error, "");
    EXPECT_EQ(file, StepFile{});
  }
}

TEST(StepFile, RefusesWhatItWouldNotWrite) {
  const std::string text = encode(samples::step_file());
  const std::pair<const char*, const char*> changes[] = {
      {"steps 1", "steps 2"},     {"42.2.77", "42.2"},         {"key 00", "key 0"},
      {"aabb", "AABB"},           {"127.0.0.1 0", "a b 0"},    {"40001", "65536"},
      {"40001", "+4001"},         {"40001", "040001"},         {" 1 2\nend", " 1 2\n\nend"},
      {"40001 2 4", "40001 2 "},  {"40001 2 4", "40001 -1 4"}, {"end 3", "end 2"},
      {"end 3\n", "end 3\nmore"}, {"node vn2", "node -vn2"},   {"vn2 10", "v/2 10"},
      {"node vn3", "mode vn3"},   {"40001 2", "40001 9999999"}};
  for (const auto& [from, to] : changes) {
    std::string changed = text;
    const std::size_t at = changed.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    changed.replace(at, std::string(from).size(), to);
    StepFile file;
    std::string error;
    EXPECT_FALSE(parse_step_file(changed, file, error)) << changed;
  }
  StepFile file;
  std::string error;
  EXPECT_FALSE(parse_step_file(std::string(step_file_bytes_max + 1, 'x'), file, error));
}

TEST(StepFile, MakesAHostfileForMpirun) {
  EXPECT_EQ(mpi_hostfile(samples::step_file()), "vn1 slots=2\nvn2 slots=2\nvn3 slots=1\n");
}

// ---- Layouts ------------------------------------------------------------------------------------

// "vn1:0+2 vn2:2+2": node, first rank, tasks; or the error.
std::string layout(const StepRequest& request, std::vector<int> tasks = {2, 2, 1}) {
  StepFile job;
  job.key.job = 7;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    job.nodes.push_back({"vn" + std::to_string(i + 1), "", 0, tasks[i], 4});
  }
  std::vector<StepShare> shares;
  std::string error;
  if (!lay_out_step(job, request, shares, error)) return error;
  std::string text;
  for (const StepShare& share : shares) {
    text += (text.empty() ? "" : " ") + share.where.node + ':' + std::to_string(share.first_rank) +
            '+' + std::to_string(share.tasks);
  }
  return text;
}

TEST(StepLayout, FollowsTheJob) {
  EXPECT_EQ(layout({}), "vn1:0+2 vn2:2+2 vn3:4+1");
  EXPECT_EQ(layout({.tasks = 5}), "vn1:0+2 vn2:2+2 vn3:4+1");
  EXPECT_EQ(layout({.tasks = 3}), "vn1:0+2 vn2:2+1");
  EXPECT_EQ(layout({.tasks = 1}), "vn1:0+1");
  EXPECT_EQ(layout({.tasks_per_node = 1}), "vn1:0+1 vn2:1+1 vn3:2+1");
  EXPECT_EQ(layout({.tasks = 2, .tasks_per_node = 1}), "vn1:0+1 vn2:1+1");
}

TEST(StepLayout, GivesEachOfTheNodesAskedForATask) {
  EXPECT_EQ(layout({.nodes = 2}), "vn1:0+2 vn2:2+2");
  EXPECT_EQ(layout({.tasks = 3, .nodes = 3}), "vn1:0+1 vn2:1+1 vn3:2+1");
  EXPECT_EQ(layout({.tasks = 4, .nodes = 3}), "vn1:0+2 vn2:2+1 vn3:3+1");
  EXPECT_EQ(layout({.tasks = 3, .nodes = 2}), "vn1:0+2 vn2:2+1");
}

TEST(StepLayout, KeepsToTheNodesNamedInTheJobsOrder) {
  EXPECT_EQ(layout({.node_list = {"vn3", "vn1"}}), "vn1:0+2 vn3:2+1");
  EXPECT_EQ(layout({.tasks = 1, .node_list = {"vn3"}}), "vn3:0+1");
}

TEST(StepLayout, SaysWhatTheJobDoesNotHave) {
  EXPECT_EQ(layout({.tasks = 6}),
            "the step asks for 6 tasks, but there are only 5 on vn[1-3]; ask hsub for more with "
            "--ntasks");
  EXPECT_EQ(layout({.node_list = {"vn9"}}), "node vn9 is not among the nodes of job 7: vn[1-3]");
  EXPECT_EQ(layout({.nodes = 4}), "--nodes=4, but the job has 3 nodes");
  EXPECT_EQ(layout({.tasks = 1, .nodes = 2}), "--nodes=2 with only 1 task");
  EXPECT_NE(layout({.tasks_per_node = 2}).find("1 task on node vn3"), std::string::npos);
}

TEST(StepLayout, WritesCountsShortly) {
  EXPECT_EQ(counts_per_node({2, 2, 2, 1}), "2(x3),1");
  EXPECT_EQ(counts_per_node({4}), "4");
}

// ---- Frames and messages ------------------------------------------------------------------------

StepFrameReader::Found read_one(StepFrameReader& reader, StepMessage& message) {
  int type = 0;
  std::string body;
  const auto found = reader.next(type, body);
  if (found == StepFrameReader::Found::Frame) {
    EXPECT_TRUE(decode_step_message(type, body, message)) << type;
  }
  return found;
}

TEST(StepFrames, EveryMessageArrivesAsItWasSentInPiecesOfAnySize) {
  std::string stream;
  for (const StepMessage& message : samples::step_messages()) stream += encode(message);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, stream.size()}) {
    StepFrameReader reader;
    reader.trust();
    std::string again;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      reader.feed(std::string_view(stream).substr(at, piece));
      StepMessage message;
      while (read_one(reader, message) == StepFrameReader::Found::Frame) again += encode(message);
    }
    EXPECT_EQ(again, stream) << piece;
    EXPECT_EQ(reader.buffered(), 0u);
  }
}

TEST(StepFrames, AMessageCutAnywhereIsNone) {
  for (const StepMessage& message : samples::step_messages()) {
    const std::string frame = encode(message);
    const std::string body = frame.substr(step_header_bytes);
    for (std::size_t size = 0; size < frame.size(); ++size) {
      StepFrameReader reader;
      reader.trust();
      reader.feed(frame.substr(0, size));
      StepMessage out;
      EXPECT_EQ(read_one(reader, out), StepFrameReader::Found::NeedsMore);
    }
    StepMessage out;
    const int type = static_cast<int>(message.index()) + 1;
    for (std::size_t size = 0; size < body.size(); ++size) {
      EXPECT_FALSE(decode_step_message(type, body.substr(0, size), out)) << type << ' ' << size;
    }
    EXPECT_FALSE(decode_step_message(type, body + 'x', out)) << type;
  }
  StepMessage out;
  EXPECT_FALSE(decode_step_message(0, "", out));
  EXPECT_FALSE(decode_step_message(100, "", out));
}

TEST(StepFrames, BytesBehindAMessageAreRefused) {
  for (const StepMessage& message : samples::step_messages()) {
    const std::string body = encode(message).substr(step_header_bytes);
    const int type = static_cast<int>(message.index()) + 1;
    for (std::size_t extra = 1; extra <= 64; ++extra) {
      for (const char filler : {'\0', '\x01', '\x08', '\x7f', '\xff'}) {
        StepMessage out;
        EXPECT_FALSE(decode_step_message(type, body + std::string(extra, filler), out)) << type;
      }
    }
  }
}

// Lengths and counts inside of a message, wherever they stand: never more than what has come.
TEST(StepFrames, LengthsInsideThatLieAreRefused) {
  for (const StepMessage& message : samples::step_messages()) {
    const std::string body = encode(message).substr(step_header_bytes);
    const int type = static_cast<int>(message.index()) + 1;
    for (const std::uint64_t lie : {1ull, 0x7fffffffull, 0x80000000ull, 0xffffffffull, ~0ull}) {
      for (std::size_t at = 0; at + sizeof lie <= body.size(); ++at) {
        std::string damaged = body;
        std::memcpy(damaged.data() + at, &lie, sizeof lie);
        StepMessage out;
        if (!decode_step_message(type, damaged, out)) continue;
        EXPECT_LE(encode(out).size(), body.size() + step_header_bytes) << type << ' ' << at;
      }
    }
  }
}

// A header that promises `length` bytes.
std::string header(int type, std::uint32_t length) {
  std::string frame = step_frame(type, "");
  for (int i = 0; i < 4; ++i) frame[4 + i] = static_cast<char>(length >> (24 - 8 * i));
  return frame;
}

TEST(StepFrames, RefusesALengthBeforeItsBytesCome) {
  const auto found = [](bool trusted, int type, std::uint32_t length) {
    StepFrameReader reader;
    if (trusted) reader.trust();
    reader.feed(header(type, length));
    StepMessage message;
    return read_one(reader, message);
  };
  const auto broken = StepFrameReader::Found::Broken;
  const auto more = StepFrameReader::Found::NeedsMore;
  EXPECT_EQ(found(false, 2, 4096), more);
  EXPECT_EQ(found(false, 2, 4097), broken);
  EXPECT_EQ(found(false, 5, 4097), broken);  // even a StartTasks
  EXPECT_EQ(found(true, 5, 8u << 20), more);
  EXPECT_EQ(found(true, 5, (8u << 20) + 1), broken);
  EXPECT_EQ(found(true, 6, 70'000), broken);
  EXPECT_EQ(found(true, 6, 0xffffffff), broken);
}

TEST(StepFrames, SaysThatTheOtherSideIsOfAnotherVersion) {
  std::string frame = step_frame(1, "");
  frame[2] = 9;
  StepFrameReader reader;
  reader.feed(frame);
  StepMessage message;
  EXPECT_EQ(read_one(reader, message), StepFrameReader::Found::Broken);
  EXPECT_NE(reader.error().find("version 9"), std::string::npos) << reader.error();
  reader.feed(step_frame(1, ""));
  EXPECT_EQ(read_one(reader, message), StepFrameReader::Found::Broken) << "it is for good";
}

TEST(StepAuth, ProofsDependOnEverythingAndDiffer) {
  const std::string key = "k", node = "vn1", s(32, 's'), c(32, 'c');
  const std::string good = client_proof(key, node, s, c);
  EXPECT_TRUE(same_proof(good, client_proof(key, node, s, c)));
  for (const std::string& other : {client_proof("l", node, s, c), client_proof(key, "vn2", s, c),
                                   client_proof(key, node, c, c), client_proof(key, node, s, s),
                                   server_proof(key, node, s, c), good.substr(1), std::string()}) {
    EXPECT_FALSE(same_proof(good, other));
  }
  EXPECT_NE(fresh_nonce(), fresh_nonce());
  EXPECT_EQ(fresh_nonce().size(), step_nonce_bytes);
}

// ---- Lines --------------------------------------------------------------------------------------

TEST(LineMerger, KeepsLinesOfManyTasksWhole) {
  LineMerger lines(LineMerger::Style::WholeLines);
  std::string out;
  lines.add(0, 1, "he", out);
  lines.add(1, 1, "a\nb", out);
  lines.add(0, 2, "e\n", out);
  lines.add(0, 1, "llo\nw", out);
  EXPECT_EQ(out, "a\ne\nhello\n");
  lines.end(1, 1, out);
  lines.end(0, 1, out);
  lines.end(0, 2, out);
  EXPECT_EQ(out, "a\ne\nhello\nbw") << "bytes are not added";
}

TEST(LineMerger, LabelsEachLine) {
  LineMerger lines(LineMerger::Style::Labelled);
  std::string out;
  lines.add(12, 1, "a\n\nb", out);
  lines.end(12, 1, out);
  EXPECT_EQ(out, "12: a\n12: \n12: b\n");
}

TEST(LineMerger, ASingleTaskWaitsForNoLineEnd) {
  LineMerger lines(LineMerger::Style::AsItComes);
  std::string out;
  lines.add(0, 1, "50 %\r", out);
  EXPECT_EQ(out, "50 %\r");
}

TEST(LineMerger, HoldsNoLineWithoutEndForEver) {
  LineMerger lines(LineMerger::Style::WholeLines);
  std::string out;
  for (int i = 0; i < 100; ++i) lines.add(0, 1, std::string(1000, 'x'), out);
  EXPECT_GE(out.size(), 100'000 - LineMerger::line_bytes_max);
  lines.end(0, 1, out);
  EXPECT_EQ(out.size(), 100'000u);
}

// ---- Environments -------------------------------------------------------------------------------

StepIdentity identity() {
  StepIdentity step;
  step.shares = {{{"vn1", "10.0.0.1", 0, 2, 4}, 0, 2},
                 {{"vn2", "10.0.0.2", 9, 2, 4}, 2, 2},
                 {{"vn3", "10.0.0.3", 9, 1, 4}, 4, 1}};
  step.step_id = 77;
  step.master_address = "10.0.0.1";
  step.master_port = 23456;
  return step;
}

TEST(StepEnvironment, SaysWhatTheStepIs) {
  const Environment all = step_environment({"PATH=/bin", "RANK=9", "WORLD_SIZE=1"}, identity());
  const std::pair<const char*, const char*> expected[] = {{"PATH", "/bin"},
                                                          {"WORLD_SIZE", "5"},
                                                          {"MASTER_ADDR", "10.0.0.1"},
                                                          {"MASTER_PORT", "23456"},
                                                          {"HYADES_STEP_ID", "77"},
                                                          {"HYADES_STEP_TASKS", "5"},
                                                          {"HYADES_STEP_NNODES", "3"},
                                                          {"HYADES_STEP_NODELIST", "vn[1-3]"}};
  for (const auto& [name, value] : expected) EXPECT_EQ(value_of(all, name), value) << name;
  for (const std::string& variable : all) EXPECT_NE(variable.substr(0, 5), "SLURM") << variable;
  EXPECT_EQ(std::count(all.begin(), all.end(), "WORLD_SIZE=1"), 0);
}

TEST(StepEnvironment, HasSlurmsNamesWhereTheJobHas) {
  const Environment all = step_environment({"SLURM_JOB_ID=7", "SLURM_NTASKS=9"}, identity());
  const std::pair<const char*, const char*> expected[] = {{"SLURM_JOB_ID", "7"},
                                                          {"SLURM_STEP_ID", "77"},
                                                          {"SLURM_STEP_NUM_TASKS", "5"},
                                                          {"SLURM_STEP_NUM_NODES", "3"},
                                                          {"SLURM_NTASKS", "5"},
                                                          {"SLURM_STEP_TASKS_PER_NODE", "2(x2),1"},
                                                          {"SLURM_STEP_NODELIST", "vn[1-3]"}};
  for (const auto& [name, value] : expected) EXPECT_EQ(value_of(all, name), value) << name;
}

TEST(StepEnvironment, PassesOnWhatTheUserSetForMpiAndNotWhatAnMpiSet) {
  const Environment all =
      step_environment({"OMPI_MCA_btl=self,tcp", "OMPI_COMM_WORLD_RANK=3", "PMIX_RANK=3",
                        "OMPI_MCA_ess=pmi", "OMPI_MCA_orte_jobid=1", "OMPI_ALLOW_RUN_AS_ROOT=1",
                        "OMPI_MCA_plm_rsh_agent=/bin/hrsh", "OMPI_MCA_plm=rsh"},
                       identity());
  EXPECT_EQ(value_of(all, "OMPI_MCA_btl"), "self,tcp");
  EXPECT_EQ(value_of(all, "OMPI_ALLOW_RUN_AS_ROOT"), "1");
  EXPECT_EQ(value_of(all, "OMPI_MCA_plm_rsh_agent"), "/bin/hrsh");
  EXPECT_EQ(value_of(all, "OMPI_MCA_plm"), "rsh");
  for (const char* name :
       {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "OMPI_MCA_ess", "OMPI_MCA_orte_jobid"}) {
    EXPECT_EQ(value_of(all, name), "") << name;
  }
}

TEST(StepEnvironment, ANodeKnowsItselfBest) {
  const Environment step = {"A=1",
                            "HYADES_NODENAME=vn1",
                            "CUDA_VISIBLE_DEVICES=0",
                            "HYADES_STEP_FILE=/spool/7.steps",
                            "HYADES_JOB_ID=7",
                            "HYADES_REPORT=@00001"};
  const Environment all =
      node_environment(step, {"A=2", "HYADES_NODENAME=vn2", "HYADES_STEP_KEY=secret",
                              "HYADES_CORES=4-7", "HYADES_REPORT=@00002"});
  EXPECT_EQ(value_of(all, "HYADES_REPORT"), "@00002");
  EXPECT_EQ(value_of(node_environment(step, {}), "HYADES_REPORT"), "");
  EXPECT_EQ(value_of(all, "A"), "1");
  EXPECT_EQ(value_of(all, "HYADES_NODENAME"), "vn2");
  EXPECT_EQ(value_of(all, "HYADES_CORES"), "4-7");
  EXPECT_EQ(value_of(all, "HYADES_JOB_ID"), "7");
  for (const char* name : {"CUDA_VISIBLE_DEVICES", "HYADES_STEP_FILE", "HYADES_STEP_KEY"}) {
    EXPECT_EQ(value_of(all, name), "") << name;
  }
}

TEST(StepEnvironment, ATaskKnowsItsRanks) {
  StartTasks start;
  start.first_rank = 4;
  start.tasks = 3;
  start.node_rank = 1;
  const Environment plain = task_environment({"RANK=0", "B=1"}, start, 2);
  const std::pair<const char*, const char*> expected[] = {{"RANK", "6"},
                                                          {"LOCAL_RANK", "2"},
                                                          {"LOCAL_WORLD_SIZE", "3"},
                                                          {"NODE_RANK", "1"},
                                                          {"HYADES_PROCID", "6"},
                                                          {"HYADES_LOCALID", "2"},
                                                          {"HYADES_NODEID", "1"},
                                                          {"B", "1"},
                                                          {"SLURM_PROCID", ""}};
  for (const auto& [name, value] : expected) EXPECT_EQ(value_of(plain, name), value) << name;
  EXPECT_EQ(std::count(plain.begin(), plain.end(), "RANK=0"), 0);
  start.slurm_names = true;
  EXPECT_EQ(value_of(task_environment({}, start, 2), "SLURM_PROCID"), "6");
}

}  // namespace
}  // namespace hyades
