// The little languages of what Slurm's `sacct -P` prints. Pure functions; each answers nullopt for
// what it cannot read, and for what stands for "not known".
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace hyades {

// A whole number.
std::optional<std::int64_t> sacct_number(std::string_view text);

// "2024-01-31T08:00:00" as seconds since 1970, as if the local time was UTC; a number (what sacct
// prints with SLURM_TIME_FORMAT=%s) as it is.
std::optional<std::int64_t> sacct_time_s(std::string_view text);

// "1-02:03:04", "02:03:04", "03:04.123" as seconds; not "UNLIMITED" and "Partition_Limit".
std::optional<std::int64_t> sacct_duration_s(std::string_view text);

// Memory asked for: "4000M", of the whole job; "4Gc", of a processor; "16Gn", of a node. As KiB of
// a processor.
std::optional<std::int64_t> sacct_memory_kib(std::string_view text, std::int64_t procs,
                                             std::int64_t nodes);

// "123", and the leading number of "123_4" and "123+0".
std::optional<std::int64_t> sacct_job_number(std::string_view text);

// As the Standard Workload Format numbers them: 1 completed, 0 failed, 5 cancelled, -1 another.
int sacct_status(std::string_view state);

}  // namespace hyades
