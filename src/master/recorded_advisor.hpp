// An advisor's process whose answers are kept.
#pragma once

#include "master/advisor_process.hpp"
#include "master/decision_recorder.hpp"

namespace hyades {

class RecordedAdvisor : public Adviser {
 public:
  RecordedAdvisor(AdvisorProcess::Settings settings, DecisionRecorder::Keep keep)
      : process_(std::move(settings)), recorder_(process_, std::move(keep)) {}

  void ask(const GlobalQuestion& question) override { recorder_.ask(question); }
  bool idle() const override { return recorder_.idle(); }
  std::optional<AdviserReply> answer() override { return recorder_.answer(); }
  void renew() override { process_.renew(); }

 private:
  AdvisorProcess process_;
  DecisionRecorder recorder_;
};

}  // namespace hyades
