// The directory in a node's spool with the files of jobs: scripts, what goes with them, the log of
// the site's programs. Where the launcher is root it writes here as root, and the worker, to whom
// the spool around it may belong, must not be able to make it write anywhere else. So the directory
// is always opened step by step, through no symbolic link, and is used only if it is root's and
// nobody else may write to it. Somebody to whom the spool belongs can put another directory in its
// place, but none of root's that root has not made right there.
#pragma once

#include <string>

#include "core/ids.hpp"
#include "wire/unique_fd.hpp"

namespace hyades {

// Empty when it cannot be used; `trouble` says why and what to do.
UniqueFd open_job_directory(const std::string& spool_directory, std::string& trouble);

// For root, before anybody else works on the spool: makes it, if the spool is there and it is not.
void make_job_directory(const std::string& spool_directory);

// The script of that launch and what is beside it. False: errno says why one is still there.
bool remove_job_files(int job_directory, const LaunchKey& key);
bool remove_job_files(const std::string& spool_directory, const LaunchKey& key);

// Removes what has lost its record: a power cut may take a record and leave its script, which
// nobody would ever remove. Whoever may not look there does nothing.
void remove_stray_job_files(const std::string& spool_directory);

}  // namespace hyades
