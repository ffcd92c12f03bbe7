// Models of the learned policy on a real cluster: tried as a shadow, taken over, gone back from;
// what cannot be used changes nothing.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "cluster.hpp"
#include "safetensors.hpp"
#include "wait_until.hpp"

namespace hyades::test {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMost = std::size_t{4} << 20;
constexpr std::size_t kFeatures = 128;  // before the rules among the inputs of what judges them

jobscripts::Safetensors installed_model() {
  const fs::path share = fs::path(program("hctl")).parent_path().parent_path() / "share/hyades";
  return jobscripts::read_safetensors_file(share / "global_policy.safetensors", "", kMost);
}

// Chooses that rule of the portfolio whatever the state is; 0: index, with the hand-set numbers.
jobscripts::Safetensors model_for(std::size_t rule) {
  jobscripts::Safetensors model = installed_model();
  for (jobscripts::NamedTensor& tensor : model.tensors) {
    if (tensor.name.find("value.gain") == tensor.name.npos) continue;
    std::fill(tensor.values.begin(), tensor.values.end(), 0.0f);
    if (tensor.name == "value.gain1.weight") tensor.values[kFeatures + rule] = 10;
    if (tensor.name == "value.gain2.weight") tensor.values[0] = 1;
  }
  model.metadata["margin"] = "0";
  model.metadata["logs"] = "made-for-rule-" + std::to_string(rule);
  return model;
}

class Models : public testing::Test {
 protected:
  enum Rule : std::size_t { Index = 0, Sjf = 3, Fcfs = 9 };

  void SetUp() override {
    cluster_.configure("[[queue]]\nname = \"batch\"\npolicy = \"learned\"\n");
    cluster_.must_up();
  }
  std::string write(const std::string& name, const jobscripts::Safetensors& model) {
    jobscripts::write_safetensors(cluster_.path(name), model.tensors, model.metadata);
    return name;
  }
  CommandResult model(std::vector<std::string> words) {
    words.insert(words.begin(), {"hctl", "model"});
    return cluster_.run(words);
  }
  void must(const std::vector<std::string>& words) {
    const CommandResult result = model(words);
    EXPECT_TRUE(result.good()) << result.text() << cluster_.log();
  }
  // Everything but how much was answered.
  Json list() {
    Json list = model({"list", "--json"}).json();
    for (Json& each : list["models"]) {
      for (const char* key : {"decisions", "shadow_decisions", "compared", "agreed", "agreement"}) {
        each.erase(key);
      }
    }
    return list;
  }
  Json row(const std::string& digest) {
    const Json list = model({"list", "--json"}).json();
    for (const Json& each : list["models"]) {
      if (each["digest"] == digest && each["source"] == "kept") return each;
    }
    return Json::object();
  }
  std::string digest_of(const std::string& file) {
    return model({"show", file, "--json"}).json()["digest"];
  }
  Json learned() {
    return cluster_.run({"hinfo", "--health", "--json"})
        .json()
        .value("learned_policy", Json::object());
  }
  // Advice is asked for when jobs come and go.
  bool wait_with_jobs(const std::function<bool(const Json&)>& until) {
    return wait_until([&] {
      const Json job = cluster_.must_wait(cluster_.must_wrap("true", {"-o", "/dev/null"}));
      EXPECT_EQ(job["state"], "COMPLETED");
      return until(learned());
    });
  }
  bool wait_for_rule(const std::string& rule) {
    return wait_with_jobs([&](const Json& state) {
      return state["queues"][0]["by"] == "model" && state["queues"][0]["policy"] == rule;
    });
  }
  // Every queue is asked about anew.
  void ask_again() { ASSERT_TRUE(cluster_.run({"hctl", "reload"}).good()); }
  // Of the advisor with that model; 0: none runs.
  static pid_t advisor_of(const std::string& digest) {
    for (const auto& entry : fs::directory_iterator("/proc")) {
      const std::string name = entry.path().filename();
      if (name.find_first_not_of("0123456789") != name.npos) continue;
      const std::string words = read_whole(entry.path() / "cmdline");
      if (words.find("hyades-advisor") != words.npos && words.find(digest) != words.npos) {
        return std::stoi(name);
      }
    }
    return 0;
  }

  Cluster cluster_;
};

TEST_F(Models, AShadowIsAskedAndDecidesNothing) {
  const std::string sjf = digest_of(write("sjf", model_for(Sjf)));
  const std::string index = digest_of(write("index", model_for(Index)));
  must({"shadow", "sjf"});
  EXPECT_EQ(row(sjf)["state"], "shadow");
  EXPECT_EQ(row(sjf)["logs"], "made-for-rule-3");
  EXPECT_EQ(learned()["shadow"]["model"], sjf);
  ASSERT_TRUE(wait_with_jobs([&](const Json& state) {
    return state["shadow"]["answers"] > 0 && state["answers"] > 0 && row(sjf)["compared"] > 0;
  })) << learned().dump(2)
      << cluster_.log();
  EXPECT_EQ(row(sjf)["agreed"], 0);
  EXPECT_EQ(row(sjf)["decisions"], 0);
  EXPECT_GT(row(sjf)["shadow_decisions"], 0);
  EXPECT_EQ(learned()["queues"][0]["policy"], "index");
  EXPECT_NE(learned()["model"], sjf);

  for (const Json& each : cluster_.run({"hctl", "policy", "list", "--json"}).json()["decisions"]) {
    EXPECT_NE(each["model"], sjf);
    EXPECT_FALSE(each["shadow"].get<bool>());
  }
  const Json all = cluster_.run({"hctl", "policy", "list", "--shadow", "--json"}).json();
  std::size_t shadows = 0;
  for (const Json& each : all["decisions"]) {
    if (!each["shadow"].get<bool>()) continue;
    EXPECT_EQ(each["policy"], "sjf");
    const std::string id = std::to_string(each["id"].get<int>());
    EXPECT_TRUE(cluster_.run({"hctl", "policy", "replay", id}).good());
    ++shadows;
  }
  EXPECT_GT(shadows, 0u);

  must({"shadow", "index"});
  EXPECT_EQ(row(sjf)["state"], "earlier");
  ask_again();
  ASSERT_TRUE(wait_with_jobs([&](const Json&) { return row(index)["compared"] > 0; }));
  EXPECT_EQ(row(index)["agreement"], 1.0);
  must({"shadow", "--off"});
  EXPECT_EQ(learned()["shadow"], nullptr);
  EXPECT_TRUE(wait_until([&] { return advisor_of(index) == 0; }));
}

TEST_F(Models, AShadowThatDiesIsNobodysConcern) {
  const std::string sjf = digest_of(write("sjf", model_for(Sjf)));
  must({"shadow", "sjf"});
  ASSERT_TRUE(wait_with_jobs([&](const Json& state) {
    return state["shadow"]["answers"] > 0 && state["answers"] > 0;
  })) << cluster_.log();
  const pid_t shadow = advisor_of(sjf);
  ASSERT_GT(shadow, 0);
  kill(shadow, SIGKILL);
  ask_again();
  ASSERT_TRUE(wait_with_jobs([&](const Json& state) {
    return state["shadow"]["failures"] > 0 && state["answers"] > 0;
  })) << learned().dump(2)
      << cluster_.log();
  EXPECT_EQ(learned()["failures"], 0);
  EXPECT_EQ(learned()["queues"][0]["by"], "model");
  EXPECT_NE(cluster_.run({"hinfo", "--health"}).out.find("shadow: model " + sjf.substr(0, 12)),
            std::string::npos);
  EXPECT_TRUE(cluster_.run({"hinfo", "--health"}).good());
  ask_again();
  EXPECT_TRUE(wait_with_jobs([&](const Json&) { return advisor_of(sjf) > 0; }));
}

TEST_F(Models, APromotedOneIsInUseUntilItIsRolledBack) {
  const std::string sjf = digest_of(write("sjf", model_for(Sjf)));
  const std::string fcfs = digest_of(write("fcfs", model_for(Fcfs)));
  ASSERT_TRUE(wait_for_rule("index")) << cluster_.log();
  const Json before = list();
  const CommandResult nothing = model({"rollback"});
  EXPECT_EQ(nothing.exit_code, 1);
  EXPECT_NE(nothing.err.find("none to go back to"), std::string::npos) << nothing.text();
  EXPECT_EQ(model({"promote"}).exit_code, 1);  // there is no shadow
  EXPECT_EQ(list(), before);

  must({"shadow", "sjf"});
  fs::remove(cluster_.path("sjf"));
  must({"promote"});
  EXPECT_EQ(learned()["shadow"], nullptr);
  EXPECT_EQ(learned()["source"], "promoted");
  ASSERT_TRUE(wait_for_rule("sjf")) << learned().dump(2) << cluster_.log();
  EXPECT_EQ(learned()["model"], sjf);
  must({"promote", "fcfs"});
  ASSERT_TRUE(wait_for_rule("fcfs")) << cluster_.log();
  must({"promote", fcfs.substr(0, 12)});  // it is so already
  EXPECT_EQ(row(sjf)["state"], "earlier");

  const Json decisions = cluster_.run({"hctl", "policy", "list", "--json"}).json()["decisions"];
  EXPECT_EQ(decisions[0]["model"], fcfs);
  const std::string id = std::to_string(decisions[0]["id"].get<int>());
  const CommandResult again = cluster_.run({"hctl", "policy", "replay", id});
  EXPECT_TRUE(again.good()) << again.text();

  must({"rollback"});
  ASSERT_TRUE(wait_for_rule("sjf")) << cluster_.log();
  must({"promote", "--configured"});
  ASSERT_TRUE(wait_for_rule("index")) << cluster_.log();
  EXPECT_EQ(learned()["source"], "installed");
  must({"rollback"});
  must({"rollback"});
  EXPECT_EQ(list()["in_use"], before["in_use"]);
  EXPECT_EQ(model({"rollback"}).exit_code, 1);
  EXPECT_EQ(model({"show", sjf.substr(0, 8), "--json"}).json()["history"].size(), 4u);
}

// Nobody would know before the advisor is started again.
TEST_F(Models, ACopyThatWasDamagedIsShown) {
  const std::string sjf = digest_of(write("sjf", model_for(Sjf)));
  const std::string fcfs = digest_of(write("fcfs", model_for(Fcfs)));
  must({"promote", "sjf"});
  must({"shadow", "fcfs"});
  EXPECT_EQ(row(sjf)["problem"], nullptr);
  EXPECT_EQ(row(fcfs)["problem"], nullptr);
  const auto kept = [&](const std::string& digest) {
    return cluster_.directory() + "/models/" + digest + ".safetensors";
  };
  fs::resize_file(kept(sjf), 1000);
  fs::copy_file(cluster_.path("sjf"), kept(fcfs), fs::copy_options::overwrite_existing);
  EXPECT_NE(row(sjf)["problem"], nullptr);
  EXPECT_NE(row(fcfs).value("problem", "").find("give the model's file again"), std::string::npos);
  must({"promote", "sjf"});
  EXPECT_EQ(row(sjf)["problem"], nullptr);
}

TEST_F(Models, AConfiguredFileThatWasReplacedIsReadOnReload) {
  write("configured", model_for(Sjf));
  cluster_.configure("[[queue]]\nname = \"batch\"\npolicy = \"learned\"\n[policy]\nmodel = \"" +
                     cluster_.path("configured") + "\"\n");
  ask_again();
  ASSERT_TRUE(wait_for_rule("sjf")) << cluster_.log();
  write("configured", model_for(Fcfs));
  ask_again();
  EXPECT_TRUE(wait_for_rule("fcfs")) << learned().dump(2) << cluster_.log();
  EXPECT_EQ(learned()["queues"][0]["choice"], "fcfs");
  fs::remove(cluster_.path("configured"));
  const CommandResult reloaded = cluster_.run({"hctl", "reload"});
  EXPECT_TRUE(reloaded.good());
  EXPECT_NE(reloaded.text().find("model cannot be used: " + cluster_.path("configured")),
            std::string::npos)
      << reloaded.text();
  const std::string file = cluster_.write_file(
      "new.toml", "[policy]\nmodel = \"" + cluster_.path("configured") + "\"\n");
  const CommandResult checked = cluster_.run({"hctl", "config", "check", file});
  EXPECT_TRUE(checked.good());
  EXPECT_NE(checked.err.find("cannot be used here"), std::string::npos) << checked.text();
}

// Its promotion beats [policy] model, and stands when the master dies.
TEST_F(Models, AMasterThatIsKilledKnowsWhatWasAcknowledged) {
  const std::string sjf = digest_of(write("sjf", model_for(Sjf)));
  const std::string fcfs = digest_of(write("fcfs", model_for(Fcfs)));
  write("configured", model_for(Index));
  cluster_.configure("[[queue]]\nname = \"batch\"\npolicy = \"learned\"\n[policy]\nmodel = \"" +
                     cluster_.path("configured") + "\"\n");
  ASSERT_TRUE(cluster_.run({"hctl", "reload"}).good());
  must({"promote", "sjf"});
  must({"shadow", "fcfs"});
  const Json before = list();
  const pid_t master = cluster_.pid_of("master_pid");
  kill(master, SIGKILL);
  ASSERT_TRUE(wait_until([&] {
    const pid_t now = cluster_.pid_of("master_pid");
    return now != 0 && now != master && cluster_.is_up();
  }));
  EXPECT_EQ(list(), before);
  EXPECT_EQ(row(sjf)["state"], "in use");
  EXPECT_EQ(row(fcfs)["state"], "shadow");
  EXPECT_NE(list()["why"].get<std::string>().find(cluster_.path("configured")), std::string::npos);
  ASSERT_TRUE(wait_for_rule("sjf")) << cluster_.log();
  EXPECT_TRUE(wait_with_jobs([](const Json& state) { return state["shadow"]["answers"] > 0; }));
}

TEST_F(Models, AFileThatCannotBeUsedChangesNothing) {
  const std::string sjf = digest_of(write("sjf", model_for(Sjf)));
  must({"promote", "sjf"});
  ASSERT_TRUE(wait_for_rule("sjf")) << cluster_.log();
  const Json before = list();
  const std::string good = cluster_.read_file(write("good", model_for(Fcfs)));
  const auto expect_refused = [&](const std::string& name, const std::string& why) {
    for (const char* action : {"promote", "shadow"}) {
      const CommandResult result = model({action, name});
      EXPECT_EQ(result.exit_code, 1) << name;
      EXPECT_NE(result.err.find(why), std::string::npos) << name << result.text();
      EXPECT_NE(result.err.find(name), std::string::npos) << result.text();
    }
    EXPECT_EQ(list(), before) << name;
  };
  const auto expect_bytes_refused = [&](const std::string& bytes, const std::string& why) {
    std::ofstream(cluster_.path("bad"), std::ios::binary) << bytes;
    expect_refused("bad", why);
  };
  expect_bytes_refused(good.substr(0, good.size() / 2), "truncated");
  std::string flipped = good;
  flipped[good.size() - 1000] = static_cast<char>(flipped[good.size() - 1000] ^ 1);
  expect_bytes_refused(flipped, "checksum");
  expect_bytes_refused("\x80\x02}q", "pickle");
  expect_bytes_refused("PK\x03\x04", "TorchScript");
  expect_bytes_refused("", "truncated");
  expect_bytes_refused(std::string(kMost + 1, ' '), "more than");
  jobscripts::Safetensors bad = model_for(Fcfs);
  bad.tensors[0].values[0] = NAN;
  expect_refused(write("nan", bad), "not finite");
  bad = model_for(Fcfs);
  bad.tensors[0].name = "value.another";
  expect_refused(write("names", bad), "no tensor");
  bad = model_for(Fcfs);
  bad.tensors[0].shape.push_back(1);
  expect_refused(write("shape", bad), "shape");
  bad = model_for(Fcfs);
  for (auto& tensor : bad.tensors) {
    if (tensor.name == "value.value2.bias") tensor.values[0] = 3e38f;
    if (tensor.name == "value.value1.bias" || tensor.name == "value.value2.weight") {
      std::fill(tensor.values.begin(), tensor.values.end(), 3e38f);
    }
  }
  expect_refused(write("infinite", bad), "no number");
  expect_refused("./missing", "cannot read");
  fs::create_directory(cluster_.path("directory"));
  expect_refused("./directory", "not a regular file");
  ASSERT_EQ(mkfifo(cluster_.path("pipe").c_str(), 0600), 0);
  expect_refused("./pipe", "not a regular file");

  EXPECT_TRUE(fs::exists(cluster_.directory() + "/models/" + sjf + ".safetensors"));
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(cluster_.directory() + "/models")) {
    files += entry.is_regular_file() ? 1 : 0;
  }
  EXPECT_EQ(files, 1u);
  EXPECT_EQ(learned()["model"], sjf);
  // A kept one that was changed is not taken back, either.
  must({"promote", "--configured"});
  fs::resize_file(cluster_.directory() + "/models/" + sjf + ".safetensors", 1000);
  const CommandResult changed = model({"promote", sjf.substr(0, 12)});
  EXPECT_NE(changed.err.find("was changed"), std::string::npos) << changed.text();
  EXPECT_EQ(model({"rollback"}).exit_code, 1);
  must({"promote", "sjf"});
  ASSERT_TRUE(wait_for_rule("sjf")) << cluster_.log();
}

TEST_F(Models, WrongWordsAreUsageErrors) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{},
                                             {"lists"},
                                             {"show"},
                                             {"shadow"},
                                             {"shadow", "a", "--off"},
                                             {"promote", "a", "--configured"},
                                             {"promote", "--off"},
                                             {"rollback", "a"},
                                             {"list", "a"}}) {
    EXPECT_EQ(model(words).exit_code, 2);
  }
  EXPECT_EQ(cluster_.run({"hctl", "policy", "show", "1", "--shadow"}).exit_code, 2);
  EXPECT_EQ(model({"show", "0123456789ab"}).exit_code, 1);
  EXPECT_NE(model({"list"}).out.find("in use: none was promoted"), std::string::npos);
}

}  // namespace
}  // namespace hyades::test
