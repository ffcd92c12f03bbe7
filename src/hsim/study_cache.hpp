// What a study has replayed so far, in a file of one JSON document a line, so that it can be ended
// and taken up again, or have rules added. One thread at a time.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "hsim/study.hpp"

namespace hyades {

class StudyCache {
 public:
  // `stamp` says which scheduler it was: lines of another are left alone and not used. "" as the
  // path: nothing is kept. Throws Failure when the file cannot be read or written.
  StudyCache(const std::string& path, std::string stamp);

  // What of it is of this scheduler and machine size goes to `results`. A line
  // that is damaged, as a last one may be, is as if it were not there.
  void load(const StudyPlan& plan, StudyResults& results) const;

  // On the disk's side of things when it returns: the process may be killed, the machine may not.
  void add(const StudiedLog& log, const Rule& rule, const Window& window, const Metrics& metrics);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  std::string path_;
  std::string stamp_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace hyades
