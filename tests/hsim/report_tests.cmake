# Tests of what becomes of replays: no engine is needed for them.
foreach(test metrics_test bootstrap_test pictures_test study_test wait_comparison_test)
  add_executable(${test} ${test}.cpp)
  target_link_libraries(${test} PRIVATE hyades_hsim_report GTest::gtest_main)
  gtest_discover_tests(${test})
endforeach()

# The logs and the yardsticks are no part of the repository; where they lie beside it, they are used.
add_executable(golden_metrics_test golden_metrics_test.cpp)
target_compile_definitions(golden_metrics_test PRIVATE
  HYADES_TRACES="${PROJECT_SOURCE_DIR}/../shared/traces")
target_link_libraries(golden_metrics_test PRIVATE hyades_hsim_report hyades_trace GTest::gtest_main)
gtest_discover_tests(golden_metrics_test)

add_executable(learned_report_test learned_report_test.cpp)
target_link_libraries(learned_report_test PRIVATE
  hyades_hsim_report GTest::gtest_main GTest::gmock)
gtest_discover_tests(learned_report_test)
