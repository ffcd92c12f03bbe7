// A step file and one of every step message: what tests compare and fuzzing starts from.
#pragma once

#include <string>
#include <vector>

#include "step/step_file.hpp"
#include "step/step_message.hpp"

namespace hyades::samples {

inline StepFile step_file() {
  StepFile file;
  file.key = {42, 2, 77};
  file.step_key = "00112233445566778899aabbccddeeff";
  file.nodes = {{"vn1", "127.0.0.1", 0, 2, 4},
                {"vn2", "10.0.0.2", 40001, 2, 4},
                {"vn3", "fd00::3", 40002, 1, 2}};
  return file;
}

inline std::vector<StepMessage> step_messages() {
  StartTasks start;
  start.arguments = {"./train", "", "--lr=\xff"};
  start.environment = {"PATH=/bin", "EMPTY="};
  start.directory = "/home/ada";
  start.umask = 077;
  start.first_rank = 8;
  start.tasks = 4;
  start.node_rank = 2;
  start.input_task = input_to_all;
  start.slurm_names = start.own_temporaries = true;
  return {StepChallenge{std::string(32, 'n')},
          StepResponse{std::string(32, 'c'), std::string(32, 'p')},
          StepProof{std::string(32, 'q')},
          PickPort{77},
          start,
          TaskInput{std::string("in\0put", 6)},
          InputEnd{},
          SignalTasks{10},
          StopTasks{5000},
          CloseOutput{2},
          PortPicked{23456},
          TasksStarted{},
          StartRefused{127, "not found"},
          InputTaken{65536},
          TaskOutput{3, 2, "out\n"},
          OutputEnd{3, 1},
          TaskExited{3, 7, 0},
          StepEnded{}};
}

}  // namespace hyades::samples
