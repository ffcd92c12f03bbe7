// The commands of hsim. Each takes the words from its own name on and returns the exit code.
#pragma once

namespace hyades {

int hsim_generate(int argc, char** argv);
int hsim_import(int argc, char** argv);
int hsim_run(int argc, char** argv);
int hsim_compare(int argc, char** argv);
int hsim_study(int argc, char** argv);
int hsim_study_predict(int argc, char** argv);
int hsim_study_learned(int argc, char** argv);

}  // namespace hyades
