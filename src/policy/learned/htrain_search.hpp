// htrain search: tries sets of hyper-parameters with short trainings.
#pragma once

namespace hyades {

// Takes the words from "search" on and returns the exit code.
int htrain_search(int argc, char** argv);

}  // namespace hyades
