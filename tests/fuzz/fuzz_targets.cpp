#include "fuzz_targets.hpp"

#include "../unit/step_samples.hpp"
#include "telemetry/bounded_series.hpp"
#include "telemetry/series.hpp"
#include "wire/codec.hpp"
#include "wire/frame.hpp"
#include "wire_samples.hpp"
#include "worker/launch_record.hpp"
#include "worker/record_file.hpp"

namespace hyades::fuzz {
namespace {

using Seeds = std::vector<std::string>;

Seeds node_message_seeds() {
  Seeds seeds;
  for (const Message& message : samples::messages()) seeds.push_back(encode(message));
  return seeds;
}

Seeds request_seeds() {
  Seeds seeds;
  for (const auto& request : samples::requests()) seeds.push_back(request.SerializeAsString());
  return seeds;
}

Seeds client_stream_seeds() {
  Seeds seeds;
  for (const std::string& body : request_seeds()) {
    std::string frame(1 + kFrameHeaderBytes, '\xff');
    write_header({kProtocolVersion, FrameType::Request, static_cast<std::uint32_t>(body.size())},
                 frame.data() + 1);
    seeds.push_back(frame + body);
  }
  return seeds;
}

Seeds launch_record_seeds() {
  LaunchRecord full;
  full.key = {42, 2, 77};
  full.uid = full.gid = 1000;
  full.user = "ada";
  full.script = std::string("#!/bin/sh\necho \xff\0 done\n", 23);
  full.arguments = {"--lr", "", "\xfe"};
  full.environment = {"PATH=/bin", "EMPTY="};
  full.working_directory = "/home/ada";
  full.stdin_path = "in";
  full.stdout_path = "out";
  full.stderr_path = "err";
  full.append_output = true;
  full.cpus = {0, 1, 5};
  full.time_limit_s = 3600;
  full.warning = {10, 120, true};
  full.step_file = "steps";
  full.mpi_hostfile = "vn1 slots=2\n";
  LaunchRecord companion;
  companion.companion = true;
  companion.step_program = "/usr/bin/hyades-stepd";
  companion.step_key = std::string(32, 'a');
  return {encode(full), encode(companion), encode(LaunchRecord{})};
}

Seeds record_file_seeds() {
  const std::string head =
      claimed_line("b00t") + started_line({7, 6, 1'700'000'000'000, 10, 12, 40'000});
  return {head + exit_line(samples::exit_record()),
          claimed_line("b00t") + refused_line("no\xffway"),
          // without checksums: the target adds them
          "claimed boot=b00t\nstarted job_pid=7 shepherd_pid=6 at=1 from=2 until=3\n"
          "exit code=0 signal=9 stopped=none started=1 ended=2 user_ms=1 system_ms=1 max_rss_kib=9 "
          "left_behind=0 error=no%20way\nrefused reason=%ff"};
}

Seeds step_stream_seeds() {
  Seeds seeds;
  std::string all = "\xff";
  for (const StepMessage& message : samples::step_messages()) {
    seeds.push_back("\xff" + encode(message));
    all += encode(message);
  }
  seeds.push_back(all);
  seeds.push_back("\x10" + encode(samples::step_messages().front()));
  return seeds;
}

Seeds directive_seeds() {
  return {
      "#!/bin/sh\n#HSUB -N 2 --time=1:00:00\n#SBATCH --job-name='a b' \"c\\\"d\" # why\n"
      "# words\n\n#HSUB --mem=4G\necho\n#HSUB -n 3\n",
      "#!/usr/bin/env bash\r\n#SBATCH --array=1-3\r\n#SBATCH -p \"gpu\r\n", "echo no shebang",
      "#!/bin/sh\n#HSUB: x\n#HSUBx\n#SBATCH\t--requeue\\\n#SBATCH hetjob\n"};
}

Seeds config_seeds() {
  return {R"([cluster]
name = "pleiades"
heartbeat_ms = 500
kill_grace_s = 10
max_restarts = 2
[[node]]
name = "n[01-04]"
cores = 64
memory = "256G"
devices = { gpu = 4, fpga = 1 }
features = ["ib", "avx512"]
[[node]]
name = ["login", "big[1-2]"]
memory = 1024
[[queue]]
name = "gpu"
nodes = "n[01-04]"
priority = 10
default_time = 30
max_time = "2-00:00:00"
max_nodes_per_job = 4
enabled = false
policy = "fcfs"
backfill = "none"
[security]
admins = ["root", 1001]
operators = [1002]
)",
          "[cluster]\nname = \"\\u00e9\"\nheartbeat_ms = 99999999999\n",
          "[[queue]]\nname = 'batch'\n"};
}

Seeds expression_seeds() {
  return {"1-02:03:04",       "90:30",        "4G",          "512KB",
          "n[01-04,7],login", "r[1-2]n[1-4]", "0-3,8,10-11", "afterok:12:13,afterany:14",
          "now+1hour",        "tomorrow",     "4:00pm",      "2030-01-31T08:00:00Z",
          "01/31/30",         "013130",       "B:USR1@120",  "SIGTERM"};
}

Seeds series_seeds() {
  Series series{0.5, {}};
  BoundedSeries bounded(0.1, 8, 1000);
  for (int i = 0; i < 24; ++i) {
    const double value = i % 5 == 0 ? kNoReading : i * i % 17 * 100.0;
    series.readings.push_back({1'700'000'000'000 + 100 * i + i % 3, value});
    bounded.add(i * 900, value);
  }
  return {encode(series), encode(Series{1, {}}), bounded.encode(), BoundedSeries(1).encode()};
}

Seeds swf_seeds() {
  return {
      "; MaxProcs: 64\n1 0 -1 10 4 -1 -1 4 20 1024 1 2 3 4 5 6 -1 -1\n"
      "3 7 -1 10.5 4 -1 -1 -1 -1 -1 1 2 3 4 5 6 -1 -1\n2 7 1 30 4 9 9 4 20 0 0 0 0 0 0 0 0 0\n",
      "; MaxNodes: 8 (4 each)\r\n; UnixStartTime: 1700000000\r\n; Computer: x\r\n\r\n"
      "1 -5 0 0 -1 0 0 1e300 nan inf -2 +1 0 0 0 0 0 0\r\n1 2 3\r\n"
      "9999999999 10000000000 0 10000000000 8 0 0 -1 1 2 3 4 5 6 7 8 9 10\r\n",
      // what gzip makes of "; MaxProcs: 4\n1 0 0 9 1 0 0 1 9 0 0 0 0 0 0 0 0 0\n"
      std::string("\037\213\010\000\000\000\000\000\002\003\263\126\360\115\254\010\050\312\117\056"
                  "\266\122\060\341\062\124\060\000\102\113\005\010\155\010\144\031\240\103\056\000"
                  "\074\232\322\307\062\000\000\000",
                  48)};
}

Seeds sacct_seeds() {
  return {
      "JobIDRaw|Submit|Start|ElapsedRaw|TimelimitRaw|ReqCPUS|ReqMem|NNodes|User|State\n"
      "17|2024-01-31T08:00:10|2024-01-31T08:01:00|100|60|8|4Gc|1|ada|COMPLETED\n"
      "18|1706688010|1706688011|100||0|1.5Tn|2|bob|CANCELLED by 0\n17.batch|1|1|1|1|1|1|1||\n",
      "JobID,Submit,Start,End,Elapsed,Timelimit,AllocCPUS,QOS\r\n"
      "9_[3-4],2024-02-29T12:34:56,None,Unknown,1-02:03:04,UNLIMITED,2,normal\r\n"
      "9+1,2024-02-29T12:34:56,5,6,03:04.567,01:00:00,2,normal\r\n"};
}

}  // namespace

std::vector<FuzzTarget> fuzz_targets() {
  return {{"fuzz_node_message", fuzz_node_message, node_message_seeds()},
          {"fuzz_request", fuzz_request, request_seeds()},
          {"fuzz_client_stream", fuzz_client_stream, client_stream_seeds()},
          {"fuzz_launch_record", fuzz_launch_record, launch_record_seeds()},
          {"fuzz_record_file", fuzz_record_file, record_file_seeds()},
          {"fuzz_step_stream", fuzz_step_stream, step_stream_seeds()},
          {"fuzz_step_file", fuzz_step_file, {encode(samples::step_file())}},
          {"fuzz_directives", fuzz_directives, directive_seeds()},
          {"fuzz_config", fuzz_config, config_seeds()},
          {"fuzz_expressions", fuzz_expressions, expression_seeds()},
          {"fuzz_series", fuzz_series, series_seeds()},
          {"fuzz_sacct", fuzz_sacct, sacct_seeds()},
          {"fuzz_swf", fuzz_swf, swf_seeds()},
          {"fuzz_job_report",
           fuzz_job_report,
           {"\xffprogress=0.25 loss=1.3e-2\nsteps=-7", "\x01loss=1 loss=2 a=1 b=1 c=nan d",
            "\x80 a=1e308 b=1e309 c=-0 d_.-=0x1 =1 e="}}};
}

}  // namespace hyades::fuzz
