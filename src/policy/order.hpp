// The orders of queues: scores, the lowest first. Float64 throughout, so that a replay gives the
// same order again.
//
//   fcfs    submission                      sjf     r
//   saf     r n                             lxf     -(w + r) / r
//   wfp3    -(w / r)^3 n                    unicep  -w / (log2(max(n, 2)) r)
//   f1      log10(r) n + 870 log10(s)       f2      sqrt(r) n + 25600 log10(s)
//   f3      r n + 6860000 log10(s)          f4      r sqrt(n) + 530000 log10(s)
//   mf      -(min(w / 604800, 1) + (1 - n / N))
//   index   n r / sqrt(i)
//
// r: the time asked for, or what is predicted (policy/run_predictor.hpp), 1 s at least; i: the
// expected value of 1 / max(run time, 10 s), how much a second of waiting adds to the job's bounded
// slowdown; n: processors; w: seconds waited; s: seconds from the
// beginning of the queue's busy period to the submission, + 1; N: processors of the queue's nodes
// that respond and are not drained. log10 of what is not positive is log10(0.1). WFP3 and UNICEP:
// Tang, Lan, Desai, Buettner 2009; F1 to F4: Carastan-Santos and de Camargo, SC'17; mf: Slurm's
// multifactor plugin with the weights of age and job size alone.
#pragma once

#include "core/config.hpp"
#include "core/job.hpp"

namespace hyades {

// What a score is made of.
struct OrderFacts {
  double run_s = 1;        // r above
  double inverse_s = 0.1;  // i above
  double procs = 1;
  double waited_s = 0;
  double since_busy_s = 1;  // s above
  double machine = 1;       // N above
};

double score(QueueOrder order, const OrderFacts& facts);

// The score of a job that has waited: those that are not negative, which do not age by themselves,
// are divided by 1 + ageing x hours.
double aged(double score, double ageing, double waited_s);

// True when scores of waiting jobs pass each other as time goes by, or as more is known, unless
// forecasts stay as they are.
bool changes_with_time(const QueueConfig& queue, bool forecasts_stay = false);

// Processors that the job asks for, all tasks together.
std::int64_t procs_of(const JobSpec& spec);

}  // namespace hyades
