// What a study of learned policies compares: figures of rules and of models, by log and window, and
// the rules that are known in hindsight or from other logs. Pure; one thread.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "hsim/study_report.hpp"

namespace hyades {

// What is known of a model.
struct StudiedModel {
  std::string file;
  std::string name;  // for people
  std::map<std::string, std::string> facts;
};

// "": it does not say.
std::string fact_of(const StudiedModel& model, const std::string& name);
// It was made without a part, or with another one.
bool is_variant(const StudiedModel& model);

// What an admin may choose from without any prediction.
const std::vector<std::string>& fixed_rules();
Rule fixed_rule(const std::string& policy, bool guard);
// What holds where no model answers: index by predicted run times, with a reserve of 5 %.
Rule hand_set_rule(bool guard);
Rule lookahead_rule(Objective objective, bool guard);
Rule learned_rule(const std::string& model, bool guard);
// In the place of a file: an action by chance, every half hour.
constexpr const char* random_model = "random";

class LearnedFigures {
 public:
  // One figure for each window of a log; empty: it was not tried there.
  using Values = std::function<std::vector<double>(const StudiedLog&)>;

  // All must outlive this.
  LearnedFigures(const StudyPage& page, const StudyResults& results,
                 const std::vector<StudiedModel>& models)
      : page_(page), results_(results), models_(models) {}

  const StudyPage& page() const { return page_; }
  const std::vector<StudiedModel>& models() const { return models_; }
  // Those that are no variants.
  std::vector<StudiedModel> whole_models() const;

  template <typename Member>
  Values of(const Rule& rule, Member Metrics::*member) const {
    return [this, rule, member](const StudiedLog& log) {
      return figures(results_.of(log, rule), member);
    };
  }
  // Of those that were tried on the log, the mean: geometric of slowdowns, arithmetic of others,
  // which may be 0.
  Values slowdowns_of_models(const std::vector<StudiedModel>& models, bool guard) const {
    return [this, models, guard](const StudiedLog& log) {
      return geometric_mean(tried(models, guard, log, &Metrics::avg_bsld));
    };
  }
  template <typename Member>
  Values of_models(const std::vector<StudiedModel>& models, bool guard,
                   Member Metrics::*member) const {
    return [this, models, guard, member](const StudiedLog& log) {
      return arithmetic_mean(tried(models, guard, log, member));
    };
  }
  // The fixed rule with the least geometric mean over SAF's on all logs but this one.
  Rule best_elsewhere(const StudiedLog& log, bool guard) const;
  Values of_best_elsewhere(bool guard) const;  // slowdowns

  // Of the log's own windows: the best fixed rule on their mean, and the best for each of them.
  struct InHindsight {
    std::string name;  // "": none was tried
    std::vector<double> best;
    std::vector<double> oracle;
  };
  InHindsight in_hindsight(const StudiedLog& log, bool guard) const;

  // Of the windows of all logs on which both were tried.
  std::vector<PairedWindows> paired(const Values& a, const Values& b) const;
  // "0.906 [0.848, 0.966]"; "": there are none.
  std::string ratio_text(const Values& a, const Values& b) const;

 private:
  // By model, and by window.
  template <typename Member>
  std::vector<std::vector<double>> tried(const std::vector<StudiedModel>& models, bool guard,
                                         const StudiedLog& log, Member Metrics::*member) const {
    std::vector<std::vector<double>> all;
    for (const StudiedModel& model : models) {
      const Rule rule = learned_rule(model.file, guard);
      if (!page_.plan.tries(log, rule)) continue;
      std::vector<double> values = figures(results_.of(log, rule), member);
      if (!values.empty()) all.push_back(std::move(values));
    }
    return all;
  }
  static std::vector<double> geometric_mean(const std::vector<std::vector<double>>& all);
  static std::vector<double> arithmetic_mean(const std::vector<std::vector<double>>& all);

  const StudyPage& page_;
  const StudyResults& results_;
  const std::vector<StudiedModel>& models_;
};

}  // namespace hyades
