// Asks the kernel for short turns on the CPU in place of few long ones. Who wakes up with a short
// slice goes ahead of those who compute; without it, each hop of a job's start (master, worker,
// launcher, shepherd, child) waits for the end of a neighbour's slice as soon as something computes
// beside it. Needs no privilege and takes nothing: shares stay as they are. Linux 6.12 and later;
// earlier kernels ignore it.
#pragma once

namespace hyades {

// For this thread, and for what it forks and executes from now on. A wish: never fails.
void ask_for_short_slices();

// Back to the kernel's default; a job must not inherit a wish that it did not make.
void ask_for_usual_slices();

}  // namespace hyades
