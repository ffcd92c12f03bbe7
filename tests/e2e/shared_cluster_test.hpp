// A suite whose tests share one cluster, which is started once and ended after the last of them.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "cluster.hpp"
#include "wait_until.hpp"

namespace hyades::test {

// Each suite derives its own class, as SharedClusterTest<Suite>, to have a cluster of its own.
template <typename Suite>
class SharedClusterTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    cluster_ = std::make_unique<Cluster>(Suite::options());
    cluster_->must_up();
  }
  static void TearDownTestSuite() { cluster_.reset(); }
  static ClusterOptions options() { return {}; }

  static Cluster& cluster() { return *cluster_; }

 private:
  static inline std::unique_ptr<Cluster> cluster_;
};

}  // namespace hyades::test
