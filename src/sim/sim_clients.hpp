// The users and the operator of a simulated cluster: they submit, cancel, hold, drain and ask
// again with the same token when nobody answers.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/request.hpp"
#include "sim/sim_context.hpp"
#include "sim/sim_job_plan.hpp"

namespace hyades {

class SimClients {
 public:
  // `knock` brings a request to the master; false when there is none.
  SimClients(SimContext& context, std::function<bool(const Request&)> knock);

  // Plans everything that will be asked for.
  void start();
  void answered(const Reply& reply);
  // Many users change their minds at once: most of what runs is to be stopped.
  // An operator has seen that the node is off.
  void confirm_dead(const std::string& node);
  void rush();

  // What an operator does when all is well again: resumes nodes, releases jobs.
  void clean_up();
  // Nobody waits for an answer.
  bool idle() const { return waiting_ == 0; }
  std::size_t submissions() const { return submissions_; }
  std::size_t acked() const { return acked_.size(); }

 private:
  struct Operation {
    Request request;
    JobId job = 0;
    RequestId asked_as = 0;  // the last id under which it was asked
    int tries = 0;
    bool over = false;
    bool answered = false;
  };
  using OperationPtr = std::shared_ptr<Operation>;

  void submit();
  void ask_for(Caller caller, decltype(Request::what) what, JobId job);
  void ask(const OperationPtr& operation);
  void ask_again_later(const OperationPtr& operation, std::int64_t delay_ms);
  void over(Operation& operation);
  void succeeded(Operation& operation, const Reply& reply);
  void refused(Operation& operation, const Reply& reply);
  void meddle_with(JobId job, const Caller& owner);
  void drain_some_node();
  JobSpec random_spec();
  void ask_for_resources(JobSpec& spec);
  void ask_for_nodes(JobSpec& spec);
  void add_dependencies(JobSpec& spec);
  SimJobPlan random_plan(JobSpec& spec);
  Caller user(std::uint32_t uid) const;
  Caller operator_caller() const;
  WallMs wall_ms() const;

  SimContext& context_;
  std::function<bool(const Request&)> knock_;
  Prng random_;
  std::map<RequestId, OperationPtr> asked_;
  std::vector<JobId> acked_;
  RequestId last_request_ = 0;
  std::size_t submissions_ = 0;
  std::size_t waiting_ = 0;
};

}  // namespace hyades
