// Who owns a file, who may change it: what has to be so before Hyades believes what is in it.
#pragma once

#include <sys/stat.h>

#include <string>

namespace hyades {

// "" when `path` is a regular file of ours (no link) that nobody else may read or write, else what
// is wrong and how to mend it. A missing file is fine.
std::string check_private_file(const std::string& path);

// The same for what others may read but not change: owned by us or root, not writable for all. A
// missing file is fine, a symbolic link is followed.
std::string check_trusted_file(const std::string& path);

// "" when `path` is a directory of ours that others cannot write to, and nobody but its owner can
// replace any directory above it. `path` must be absolute and free of symbolic links.
std::string check_private_directory(const std::string& path);

bool exists(const std::string& path);  // a dangling link exists, too

// Makes what happened to the names in `directory` survive a power cut. False: errno says why.
bool sync_directory(const std::string& directory);

// "cannot read /x: Permission denied"
std::string system_error(const std::string& doing, int error);

}  // namespace hyades
